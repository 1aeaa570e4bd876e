package submission

const (
	keyResourceType  = "spark.kubernetes.resource.type"
	keyPython        = "spark.pyspark.python"
	keyDriverPython  = "spark.pyspark.driver.python"
	propertiesFolder = "/opt/spark/conf"
	propertiesFile   = "spark.properties"
)

// command is what the image's entry point is told to run.
func (b *builder) command() {
	class, resource, language := b.app.MainClass, b.app.Resource, Language(b.app.Resource)
	switch {
	case language == "python":
		class = "org.apache.spark.deploy.PythonRunner"
		b.interpreters()
	case language == "r":
		class = "org.apache.spark.deploy.RRunner"
	case b.app.internal():
		resource = internalResource
	}
	args := []string{"driver"}
	if b.app.ProxyUser != "" {
		args = append(args, "--proxy-user", b.app.ProxyUser)
	}
	args = append(args, "--properties-file", propertiesFolder+"/"+propertiesFile, "--class", class, resource)
	b.container.Args = append(append(b.container.Args, args...), b.app.Args...)
	b.stored[keyResourceType] = language
}

// interpreters names Python's, where settings do.
func (b *builder) interpreters() {
	if _, path, found := b.conf.Text(keyPython); found {
		b.setEnv("PYSPARK_PYTHON", path)
	}
	if _, path, found := b.conf.Text(keyDriverPython, keyPython); found {
		b.setEnv("PYSPARK_DRIVER_PYTHON", path)
	}
}
