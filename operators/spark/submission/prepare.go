package submission

import (
	"path"
	"regexp"
	"strconv"
	"strings"

	"muster.sh/muster/internal/sparkconf"
)

const (
	keyMaster      = "spark.master"
	keyDeployMode  = "spark.submit.deployMode"
	keyAppName     = "spark.app.name"
	keySubmitTime  = "spark.app.submitTime"
	keyJars        = "spark.jars"
	keyFiles       = "spark.files"
	keyArchives    = "spark.archives"
	keyPyFiles     = "spark.submit.pyFiles"
	keyNamespace   = "spark.kubernetes.namespace"
	keyDriverHost  = "spark.driver.host"
	keyBindAddress = "spark.driver.bindAddress"

	keyDriverTemplate          = "spark.kubernetes.driver.podTemplateFile"
	keyDriverTemplateContainer = "spark.kubernetes.driver.podTemplateContainerName"

	// Names of fields of an application in errors.
	fieldVersion   = "sparkVersion"
	fieldMainClass = "mainClass"
	fieldResource  = "mainApplicationFile"

	defaultMaster = "k8s://https://kubernetes.default.svc"
)

// internalResource is how Spark calls a program that is in the image already.
const internalResource = "spark-internal"

var versionPattern = regexp.MustCompile(`^[0-9]+\.[0-9]+(\.[0-9]+)?$`)

// prepare makes of the settings what spark-submit makes of them before it turns to
// Kubernetes.
func prepare(app Application, id Identity) (sparkconf.Properties, error) {
	props := sparkconf.Properties{}
	for key, value := range app.Properties {
		if strings.HasPrefix(key, "spark.") {
			props[key] = value
		}
	}
	for key, old := range map[string]string{keyPrincipal: "spark.yarn.principal", keyKeytab: "spark.yarn.keytab"} {
		setUnset(props, key, props[old], props[old] != "")
	}
	// It would be wrong in the pod.
	delete(props, keyDriverHost)
	setUnset(props, keyMaster, defaultMaster, true)
	props[keyDeployMode] = "cluster"
	setUnset(props, keyAppName, app.defaultName(), true)
	setUnset(props, keySubmitTime, strconv.FormatInt(id.SubmitTime.UnixMilli(), 10), true)

	conf := sparkconf.NewReader(props, app.SparkVersion)
	app.checkProgram(conf)
	conf.CheckExecutors()
	app.resolveFiles(conf, props)
	return props, conf.Err()
}

func setUnset(props sparkconf.Properties, key, value string, wanted bool) {
	if _, set := props[key]; !set && wanted {
		props[key] = value
	}
}

// Language is that of a program, as its ending tells, in Spark's own word: java, which
// stands for Scala as well, python or r.
func Language(resource string) string {
	switch path.Ext(resource) {
	case ".py":
		return "python"
	case ".R", ".r":
		return "r"
	}
	return "java"
}

func (app *Application) jvm() bool { return Language(app.Resource) == "java" }

// internal says that the program is in the image, found by its class.
func (app *Application) internal() bool {
	return app.Resource == "" || app.Resource == internalResource
}

func (app *Application) defaultName() string {
	if app.MainClass != "" {
		return app.MainClass
	}
	return path.Base(app.Resource)
}

func (app *Application) checkProgram(conf *sparkconf.Reader) {
	if !versionPattern.MatchString(app.SparkVersion) || conf.Before(3, 5) || !conf.Before(4, 4) {
		conf.Fail(fieldVersion, app.SparkVersion, "is not of a line of Spark that is known here", "use one of 3.5, 4.0, 4.1, 4.2 and 4.3")
	}
	if app.jvm() && app.MainClass == "" {
		conf.Fail(fieldMainClass, "", "is not set, and the jar can't be read from here", "name the class that has the main method")
	}
	if !app.internal() && isLocal(app.Resource) {
		conf.Fail(fieldResource, app.Resource, "is not in the image", "write local:// and the path in the image, or a URL")
	}
	if key, principal, found := conf.Text(keyPrincipal); found && app.ProxyUser != "" {
		conf.Fail(key, principal, "can't be used for a proxy user", "set one of the two")
	}
	if key, address, found := conf.Text(keyBindAddress); found {
		conf.Fail(key, address, "is not for Kubernetes, where it is the address of the driver's pod", "remove it")
	}
}

// resolveFiles writes lists of files as spark-submit does. A program in Java is one of
// the jars.
func (app *Application) resolveFiles(conf *sparkconf.Reader, props sparkconf.Properties) {
	// These lists are there even if they are empty, jars for programs in Java alone.
	setUnset(props, keyPyFiles, "", true)
	setUnset(props, keyJars, "", app.jvm())
	if app.jvm() && !app.internal() {
		props[keyJars] += "," + app.Resource
	}
	for _, key := range []string{keyJars, keyFiles, keyArchives, keyPyFiles} {
		text, set := props[key]
		if !set {
			continue
		}
		files := list(text)
		for _, file := range files {
			if isLocal(file) {
				conf.Fail(key, file, "is not in the image", "write local:// and the path in the image, or a URL")
			}
		}
		props[key] = strings.Join(files, ",")
	}
}

// list splits a comma-separated list as Spark does.
func list(text string) []string {
	var items []string
	for item := range strings.SplitSeq(text, ",") {
		if item = strings.TrimSpace(item); item != "" {
			items = append(items, item)
		}
	}
	return items
}

// isLocal says whether a file is on the machine that submits.
func isLocal(file string) bool {
	scheme, _, found := strings.Cut(file, ":")
	return !found || scheme == "file" || strings.Contains(scheme, "/")
}
