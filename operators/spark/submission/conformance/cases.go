package conformance

// Case is one application as it is given to spark-submit.
type Case struct {
	Name string `json:"name"`
	// Class is the main class, for applications in Java and Scala.
	Class string `json:"class,omitempty"`
	// Resource is the program: a jar, a .py or a .R file.
	Resource string   `json:"resource"`
	Args     []string `json:"args,omitempty"`
	// ProxyUser is the user in whose name the application acts.
	ProxyUser string `json:"proxyUser,omitempty"`
	// Conf are the settings, those that have an option of their own as well.
	Conf map[string]string `json:"conf"`
	// DriverTemplate and ExecutorTemplate are pod templates, if any.
	DriverTemplate   string `json:"driverTemplate,omitempty"`
	ExecutorTemplate string `json:"executorTemplate,omitempty"`
	// Stricter says why Muster refuses what spark-submit sends to the API server.
	Stricter string `json:"-"`
}

type conf = map[string]string

// All is everything that a spark-submit is given.
func All() []Case {
	var all []Case
	for _, list := range [][]Case{
		languageCases, nameCases, memoryCases, coreCases, deviceCases, metadataCases, serviceCases, imageCases,
		secretCases, volumeCases, dependencyCases, placementCases, templateCases, securityCases, executorCases,
	} {
		for _, c := range list {
			all = append(all, c.complete())
		}
	}
	return all
}

// complete fills in what most cases have in common.
func (c Case) complete() Case {
	if c.Resource == "" {
		c.Resource = "local:///opt/app.jar"
		c.Class = "org.example.App"
	}
	settings := conf{"spark.kubernetes.container.image": "spark"}
	for key, value := range c.Conf {
		settings[key] = value
	}
	if settings["spark.kubernetes.container.image"] == "" {
		delete(settings, "spark.kubernetes.container.image")
	}
	c.Conf = settings
	return c
}

const (
	python  = "local:///opt/app.py"
	rScript = "local:///opt/app.R"
)

var languageCases = []Case{
	{Name: "a jar with a class"},
	{Name: "a jar from a web server", Class: "org.example.App", Resource: "https://example.com/app.jar"},
	{Name: "a jar with arguments", Class: "org.example.App", Resource: "local:///opt/app.jar", Args: []string{"1", "two words", "--three", "$(FOUR)", ""}},
	{Name: "a class of the image, without a jar", Class: "org.apache.spark.examples.SparkPi", Resource: "spark-internal"},
	{Name: "Python", Resource: python},
	{Name: "Python with arguments", Resource: python, Args: []string{"--input", "/data/a b.csv"}},
	{Name: "Python with its own interpreter", Resource: python, Conf: conf{"spark.pyspark.python": "/opt/python3"}},
	{Name: "Python with an interpreter for the driver", Resource: python, Conf: conf{
		"spark.pyspark.python": "/opt/python3", "spark.pyspark.driver.python": "/opt/driver/python3"}},
	{Name: "Python with a main class that doesn't count", Class: "org.example.App", Resource: python},
	{Name: "R", Resource: rScript},
	{Name: "R with a lower case ending", Resource: "local:///opt/app.r", Args: []string{"1"}},
	{Name: "in the name of another user", ProxyUser: "alice"},
	{Name: "Python in the name of another user", Resource: python, ProxyUser: "alice", Args: []string{"1"}},
	{Name: "a jar on the submitting machine that nobody uploads", Class: "org.example.App", Resource: "/nowhere/app.jar"},
	{Name: "a program on the submitting machine that nobody uploads", Resource: "/nowhere/app.py"},
	{Name: "an R script on the submitting machine, which Spark doesn't look at", Resource: "/nowhere/app.R",
		Stricter: "the driver's pod doesn't have what the submitting machine has"},
}

var nameCases = []Case{
	{Name: "a name with spaces and capitals", Conf: conf{"spark.app.name": "  Hello, World_2 "}},
	{Name: "a name that begins with a digit", Conf: conf{"spark.app.name": "2nd try"}},
	{Name: "a name that begins with a dash", Conf: conf{"spark.app.name": "--dashed--"}},
	{Name: "a name in other letters", Conf: conf{"spark.app.name": "Übung ΑΒΓ"}},
	{Name: "a name of 60 letters, so that the service has a short one", Conf: conf{"spark.app.name": "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefgh"}},
	{Name: "a name of 80 letters", Conf: conf{"spark.app.name": "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghij-klmnopqrstuvwxyzab"}},
	{Name: "a name for the driver's pod", Conf: conf{"spark.kubernetes.driver.pod.name": "my-driver"}},
	{Name: "another namespace", Conf: conf{"spark.kubernetes.namespace": "team-a"}},
	{Name: "a time of submission", Conf: conf{"spark.app.submitTime": "1700000000000"}},
	{Name: "a setting that isn't Spark's", Conf: conf{"hadoop.fs.s3a.endpoint": "ignored", "spark.hadoop.fs.s3a.endpoint": "http://minio:9000"}},
	{Name: "settings with characters that properties files escape", Conf: conf{
		"spark.a": "a=b:c#d!e\\f", "spark.b": " leading", "spark.c": "tab\tnew\nline", "spark.d": "é中😀", "spark.e e": "key with a space", "spark.f": "trailing ", "spark.g": ""}},
	{Name: "the driver's host, which Spark drops", Conf: conf{"spark.driver.host": "example.com"}},
	{Name: "the driver's bind address", Conf: conf{"spark.driver.bindAddress": "0.0.0.0"}},
}

var memoryCases = []Case{
	{Name: "a driver of 512m has the least overhead", Conf: conf{"spark.driver.memory": "512m"}},
	{Name: "a driver of 8g has a tenth of it as overhead", Conf: conf{"spark.driver.memory": "8g"}},
	{Name: "a driver of 5555m", Conf: conf{"spark.driver.memory": "5555m"}},
	{Name: "a driver of 8g in Python", Resource: python, Conf: conf{"spark.driver.memory": "8g"}},
	{Name: "a driver of 8g in R", Resource: rScript, Conf: conf{"spark.driver.memory": "8g"}},
	{Name: "driver memory without a unit", Conf: conf{"spark.driver.memory": "2048"}},
	{Name: "driver memory in capitals", Conf: conf{"spark.driver.memory": "3G"}},
	{Name: "driver memory that is a fraction", Conf: conf{"spark.driver.memory": "1.5g"}},
	{Name: "driver memory in Kubernetes' unit", Conf: conf{"spark.driver.memory": "1Gi"}},
	{Name: "driver memory of zero", Conf: conf{"spark.driver.memory": "0"}},
	{Name: "negative driver memory", Conf: conf{"spark.driver.memory": "-1g"}},
	{Name: "driver memory of less than a MiB", Conf: conf{"spark.driver.memory": "600k"}},
	{Name: "an overhead of its own", Conf: conf{"spark.driver.memory": "8g", "spark.driver.memoryOverhead": "1g"}},
	{Name: "an overhead of zero", Conf: conf{"spark.driver.memoryOverhead": "0"}},
	{Name: "a negative overhead", Conf: conf{"spark.driver.memoryOverhead": "-100m"},
		Stricter: "the driver would be killed for the memory that it was told to use"},
	{Name: "an overhead under its old name", Conf: conf{"spark.yarn.driver.memoryOverhead": "777"}},
	{Name: "an overhead that refers to another setting", Conf: conf{"spark.driver.memory": "2g", "spark.driver.memoryOverhead": "${spark.driver.memory}"}},
	{Name: "a least overhead", Conf: conf{"spark.driver.minMemoryOverhead": "1g"}},
	{Name: "a factor for drivers", Conf: conf{"spark.driver.memory": "8g", "spark.driver.memoryOverheadFactor": "0.25"}},
	{Name: "a factor for both pods", Conf: conf{"spark.driver.memory": "8g", "spark.kubernetes.memoryOverheadFactor": "0.3"}},
	{Name: "a factor for both pods in Python", Resource: python, Conf: conf{"spark.driver.memory": "8g", "spark.kubernetes.memoryOverheadFactor": "0.3"}},
	{Name: "the factor for drivers wins", Resource: python, Conf: conf{
		"spark.driver.memory": "8g", "spark.driver.memoryOverheadFactor": "0.2", "spark.kubernetes.memoryOverheadFactor": "0.3"}},
	{Name: "a factor of zero for drivers", Conf: conf{"spark.driver.memoryOverheadFactor": "0"}},
	{Name: "a negative factor", Conf: conf{"spark.kubernetes.memoryOverheadFactor": "-0.1"}},
	{Name: "a factor that is no number", Conf: conf{"spark.kubernetes.memoryOverheadFactor": "a lot"}},
	{Name: "a tiny factor", Conf: conf{"spark.kubernetes.memoryOverheadFactor": "0.00001"}},
	{Name: "a factor of one", Conf: conf{"spark.kubernetes.memoryOverheadFactor": "1"}},
	{Name: "off-heap memory changes no driver", Conf: conf{"spark.memory.offHeap.enabled": "true", "spark.memory.offHeap.size": "2g"}},
	{Name: "executor memory that is a fraction", Conf: conf{"spark.executor.memory": "1.5g"}},
}

var coreCases = []Case{
	{Name: "two cores", Conf: conf{"spark.driver.cores": "2"}},
	{Name: "a request for a part of a core", Conf: conf{"spark.driver.cores": "2", "spark.kubernetes.driver.request.cores": "250m"}},
	{Name: "a limit of cores", Conf: conf{"spark.kubernetes.driver.limit.cores": "1500m"}},
	{Name: "a request and a limit", Conf: conf{"spark.kubernetes.driver.request.cores": "0.5", "spark.kubernetes.driver.limit.cores": "2"}},
	{Name: "zero cores", Conf: conf{"spark.driver.cores": "0"}},
	{Name: "cores that are a fraction", Conf: conf{"spark.driver.cores": "0.5"}},
	{Name: "a request that is no quantity", Conf: conf{"spark.kubernetes.driver.request.cores": "many"},
		Stricter: "the API server would refuse it"},
	{Name: "zero executor cores", Conf: conf{"spark.executor.cores": "0"}},
	{Name: "zero executors", Conf: conf{"spark.executor.instances": "0"}},
	{Name: "zero executors at first, with dynamic allocation", Conf: conf{"spark.executor.instances": "0", "spark.dynamicAllocation.enabled": "true"}},
	{Name: "dynamic allocation", Conf: conf{
		"spark.dynamicAllocation.enabled": "true", "spark.dynamicAllocation.shuffleTracking.enabled": "true",
		"spark.dynamicAllocation.minExecutors": "1", "spark.dynamicAllocation.maxExecutors": "10"}},
}

var deviceCases = []Case{
	{Name: "GPUs for the driver", Conf: conf{"spark.driver.resource.gpu.amount": "2", "spark.driver.resource.gpu.vendor": "nvidia.com", "spark.driver.resource.gpu.discoveryScript": "/opt/gpus.sh"}},
	{Name: "GPUs without a vendor", Conf: conf{"spark.driver.resource.gpu.amount": "1"}},
	{Name: "GPUs without an amount", Conf: conf{"spark.driver.resource.gpu.vendor": "nvidia.com"}},
	{Name: "no GPUs", Conf: conf{"spark.driver.resource.gpu.amount": "0", "spark.driver.resource.gpu.vendor": "nvidia.com"}},
	{Name: "two kinds of devices", Conf: conf{
		"spark.driver.resource.gpu.amount": "1", "spark.driver.resource.gpu.vendor": "amd.com",
		"spark.driver.resource.fpga.amount": "1", "spark.driver.resource.fpga.vendor": "example.com"}},
	{Name: "GPUs for executors change no driver", Conf: conf{"spark.executor.resource.gpu.amount": "2", "spark.executor.resource.gpu.vendor": "nvidia.com"}},
}

var metadataCases = []Case{
	{Name: "labels and annotations", Conf: conf{
		"spark.kubernetes.driver.label.team": "a", "spark.kubernetes.driver.label.example.com/cost": "b-1",
		"spark.kubernetes.driver.annotation.note": "some text, with: everything", "spark.kubernetes.driver.annotation.empty": ""}},
	{Name: "labels and annotations with the application's id", Conf: conf{
		"spark.kubernetes.driver.label.app": "{{APP_ID}}", "spark.kubernetes.driver.annotation.app": "x-{{APP_ID}}-{{EXECUTOR_ID}}-y"}},
	{Name: "labels and annotations with Spark's version", Conf: conf{
		"spark.kubernetes.driver.label.v": "v{{SPARK_VERSION}}", "spark.kubernetes.driver.annotation.v": "{{SPARK_VERSION}}"}},
	{Name: "a label that is Spark's own", Conf: conf{"spark.kubernetes.driver.label.spark-role": "executor"}},
	{Name: "the label of the application's name", Conf: conf{"spark.kubernetes.driver.label.spark-app-name": "x"}},
	{Name: "labels of executors", Conf: conf{"spark.kubernetes.executor.label.team": "a", "spark.kubernetes.executor.annotation.note": "b"}},
	{Name: "variables of the environment", Conf: conf{
		"spark.kubernetes.driverEnv.FIRST": "1", "spark.kubernetes.driverEnv.SECOND": "$(FIRST)", "spark.kubernetes.driverEnv.EMPTY": "",
		"spark.kubernetes.driverEnv.fourth.with-dash": "4", "spark.executorEnv.OTHER": "x"}},
}

var serviceCases = []Case{
	{Name: "labels and annotations of the service", Conf: conf{
		"spark.kubernetes.driver.service.label.team": "a", "spark.kubernetes.driver.service.annotation.dns": "b"}},
	{Name: "other ports", Conf: conf{"spark.driver.port": "8001", "spark.driver.blockManager.port": "8002", "spark.ui.port": "8003"}},
	{Name: "a port for blocks of both pods", Conf: conf{"spark.blockManager.port": "8100"}},
	{Name: "a port that is no number", Conf: conf{"spark.driver.port": "auto"}},
	{Name: "a port of Spark Connect", Conf: conf{"spark.connect.grpc.binding.port": "15050"}},
	{Name: "both families of addresses", Conf: conf{
		"spark.kubernetes.driver.service.ipFamilyPolicy": "PreferDualStack", "spark.kubernetes.driver.service.ipFamilies": "IPv6,IPv4"}},
	{Name: "an unknown family of addresses", Conf: conf{"spark.kubernetes.driver.service.ipFamilies": "IPv5"}},
	{Name: "an unknown policy of families", Conf: conf{"spark.kubernetes.driver.service.ipFamilyPolicy": "DualStack"}},
	{Name: "addresses that are not ready", Conf: conf{"spark.kubernetes.driver.service.publishNotReadyAddresses": "true"}},
	{Name: "no interface in the browser", Conf: conf{"spark.ui.enabled": "false"}},
	{Name: "a port of the driver given twice", Conf: conf{"spark.driver.port": "4040"},
		Stricter: "the API server would refuse it"},
}

var imageCases = []Case{
	{Name: "no image", Conf: conf{"spark.kubernetes.container.image": ""}},
	{Name: "an image for the driver", Conf: conf{"spark.kubernetes.driver.container.image": "driver:1"}},
	{Name: "an image for the driver alone", Conf: conf{"spark.kubernetes.container.image": "", "spark.kubernetes.driver.container.image": "driver:1"}},
	{Name: "an image with Spark's version", Conf: conf{"spark.kubernetes.container.image": "spark:{{SPARK_VERSION}}"}},
	{Name: "an image that is always pulled", Conf: conf{"spark.kubernetes.container.image.pullPolicy": "Always"}},
	{Name: "an unknown pull policy", Conf: conf{"spark.kubernetes.container.image.pullPolicy": "Sometimes"}},
	{Name: "secrets for pulling images", Conf: conf{"spark.kubernetes.container.image.pullSecrets": "first, second,,third "}},
}

var secretCases = []Case{
	{Name: "a secret as a folder", Conf: conf{"spark.kubernetes.driver.secrets.keys": "/etc/keys"}},
	{Name: "two secrets as folders", Conf: conf{"spark.kubernetes.driver.secrets.keys": "/etc/keys", "spark.kubernetes.driver.secrets.more": "/etc/more"}},
	{Name: "secrets of executors change no driver", Conf: conf{"spark.kubernetes.executor.secrets.keys": "/etc/keys"}},
	{Name: "a secret as a variable", Conf: conf{"spark.kubernetes.driver.secretKeyRef.PASSWORD": "database:password"}},
	{Name: "a secret as a variable without a key", Conf: conf{"spark.kubernetes.driver.secretKeyRef.PASSWORD": "database"}},
	{Name: "a secret as a variable with too many parts", Conf: conf{"spark.kubernetes.driver.secretKeyRef.PASSWORD": "a:b:c"}},
}

const volume = "spark.kubernetes.driver.volumes."

var volumeCases = []Case{
	{Name: "an empty folder", Conf: conf{volume + "emptyDir.scratch.mount.path": "/scratch"}},
	{Name: "an empty folder in memory, with a limit", Conf: conf{
		volume + "emptyDir.scratch.mount.path": "/scratch", volume + "emptyDir.scratch.options.medium": "Memory",
		volume + "emptyDir.scratch.options.sizeLimit": "5Gi", volume + "emptyDir.scratch.mount.readOnly": "true"}},
	{Name: "an empty folder with a limit that lacks a unit", Conf: conf{
		volume + "emptyDir.scratch.mount.path": "/scratch", volume + "emptyDir.scratch.options.sizeLimit": "5"},
		Stricter: "Spark 3.5 sends it, and five bytes are of no use"},
	{Name: "a folder of the node", Conf: conf{
		volume + "hostPath.data.mount.path": "/data", volume + "hostPath.data.options.path": "/mnt/data", volume + "hostPath.data.options.type": "Directory"}},
	{Name: "a folder of the node of any type", Conf: conf{volume + "hostPath.data.mount.path": "/data", volume + "hostPath.data.options.path": "/mnt/data"}},
	{Name: "a folder of the node without a path", Conf: conf{volume + "hostPath.data.mount.path": "/data"}},
	{Name: "a file server", Conf: conf{
		volume + "nfs.share.mount.path": "/share", volume + "nfs.share.options.server": "nfs.example.com", volume + "nfs.share.options.path": "/export"}},
	{Name: "a file server without a name", Conf: conf{volume + "nfs.share.mount.path": "/share", volume + "nfs.share.options.path": "/export"}},
	{Name: "a claim", Conf: conf{
		volume + "persistentVolumeClaim.data.mount.path": "/data", volume + "persistentVolumeClaim.data.options.claimName": "data", volume + "persistentVolumeClaim.data.mount.readOnly": "true"}},
	{Name: "a claim without a name", Conf: conf{volume + "persistentVolumeClaim.data.mount.path": "/data"}},
	{Name: "a claim made on demand", Conf: conf{
		volume + "persistentVolumeClaim.data.mount.path": "/data", volume + "persistentVolumeClaim.data.options.claimName": "OnDemand",
		volume + "persistentVolumeClaim.data.options.storageClass": "fast", volume + "persistentVolumeClaim.data.options.sizeLimit": "10Gi"}},
	{Name: "a claim made on demand with labels and annotations", Conf: conf{
		volume + "persistentVolumeClaim.data.mount.path": "/data", volume + "persistentVolumeClaim.data.options.claimName": "OnDemand",
		volume + "persistentVolumeClaim.data.options.storageClass": "fast", volume + "persistentVolumeClaim.data.options.sizeLimit": "10Gi",
		volume + "persistentVolumeClaim.data.label.team": "a", volume + "persistentVolumeClaim.data.annotation.note": "b"}},
	{Name: "a claim made on demand under the old access mode", Conf: conf{
		volume + "persistentVolumeClaim.data.mount.path": "/data", volume + "persistentVolumeClaim.data.options.claimName": "OnDemand",
		volume + "persistentVolumeClaim.data.options.storageClass": "fast", volume + "persistentVolumeClaim.data.options.sizeLimit": "10Gi",
		"spark.kubernetes.legacy.useReadWriteOnceAccessMode": "true"}},
	{Name: "a claim made on demand without a size", Conf: conf{
		volume + "persistentVolumeClaim.data.mount.path": "/data", volume + "persistentVolumeClaim.data.options.claimName": "OnDemand"},
		Stricter: "the driver would wait for a claim that nobody makes"},
	{Name: "a part of a volume", Conf: conf{
		volume + "persistentVolumeClaim.data.mount.path": "/data", volume + "persistentVolumeClaim.data.options.claimName": "data",
		volume + "persistentVolumeClaim.data.mount.subPath": "a/b"}},
	{Name: "a part of a volume by expression", Conf: conf{
		volume + "persistentVolumeClaim.data.mount.path": "/data", volume + "persistentVolumeClaim.data.options.claimName": "data",
		volume + "persistentVolumeClaim.data.mount.subPathExpr": "$(SPARK_USER)"}},
	{Name: "a part of a volume in two ways", Conf: conf{
		volume + "persistentVolumeClaim.data.mount.path": "/data", volume + "persistentVolumeClaim.data.options.claimName": "data",
		volume + "persistentVolumeClaim.data.mount.subPath": "a", volume + "persistentVolumeClaim.data.mount.subPathExpr": "b"},
		Stricter: "Spark 3.5 sends it without the expression"},
	{Name: "a volume that is mounted nowhere", Conf: conf{volume + "hostPath.data.options.path": "/mnt/data"}},
	{Name: "an unknown type of volume", Conf: conf{volume + "configMap.data.mount.path": "/data"}},
	{Name: "two volumes at one path", Conf: conf{volume + "emptyDir.a.mount.path": "/data", volume + "emptyDir.b.mount.path": "/data"}},
	{Name: "a read-only volume that is neither true nor false", Conf: conf{volume + "emptyDir.a.mount.path": "/data", volume + "emptyDir.a.mount.readOnly": "yes"}},
	{Name: "volumes for Spark's own data", Conf: conf{
		volume + "hostPath.spark-local-dir-1.mount.path": "/fast", volume + "hostPath.spark-local-dir-1.options.path": "/mnt/nvme"}},
	{Name: "folders for Spark's own data", Conf: conf{"spark.local.dir": "/tmp/a,/tmp/b"}},
	{Name: "Spark's own data in memory", Conf: conf{"spark.kubernetes.local.dirs.tmpfs": "true"}},
	{Name: "volumes of executors that lack their path", Conf: conf{"spark.kubernetes.executor.volumes.hostPath.data.mount.path": "/data"}},
	{Name: "volumes of executors change no driver", Conf: conf{
		"spark.kubernetes.executor.volumes.emptyDir.scratch.mount.path": "/scratch"}},
}

var dependencyCases = []Case{
	{Name: "jars", Conf: conf{"spark.jars": "local:///opt/a.jar,https://example.com/b.jar"}},
	{Name: "jars with spaces between", Conf: conf{"spark.jars": "local:///opt/a.jar, local:///opt/b.jar ,"}},
	{Name: "jars for Python", Resource: python, Conf: conf{"spark.jars": "local:///opt/a.jar"}},
	{Name: "Python files", Resource: python, Conf: conf{"spark.submit.pyFiles": "local:///opt/a.py,https://example.com/b.zip"}},
	{Name: "files and archives", Conf: conf{"spark.files": "local:///opt/a.txt#b.txt", "spark.archives": "https://example.com/env.tar.gz#env"}},
	{Name: "a jar on the submitting machine", Conf: conf{"spark.jars": "/nowhere/a.jar"}},
	{Name: "a file on the submitting machine", Conf: conf{"spark.files": "file:///nowhere/a.txt"}},
	{Name: "options of Java and class paths", Conf: conf{
		"spark.driver.extraJavaOptions": "-Da=b -XX:+UseG1GC", "spark.driver.extraClassPath": "/opt/more/*", "spark.driver.extraLibraryPath": "/opt/lib"}},
	{Name: "a Hadoop configuration that exists", Conf: conf{"spark.kubernetes.hadoop.configMapName": "hadoop"}},
	{Name: "a Kerberos configuration that exists", Conf: conf{"spark.kubernetes.kerberos.krb5.configMapName": "krb5"}},
	{Name: "delegation tokens that exist", Conf: conf{
		"spark.kubernetes.kerberos.tokenSecret.name": "tokens", "spark.kubernetes.kerberos.tokenSecret.itemKey": "hadoop"}},
	{Name: "delegation tokens without a key", Conf: conf{"spark.kubernetes.kerberos.tokenSecret.name": "tokens"}},
	{Name: "a key of delegation tokens without their name", Conf: conf{"spark.kubernetes.kerberos.tokenSecret.itemKey": "hadoop"}},
	{Name: "a principal without a keytab", Conf: conf{"spark.kerberos.principal": "alice@EXAMPLE.COM"}},
	{Name: "a keytab in the image", Conf: conf{"spark.kerberos.principal": "alice@EXAMPLE.COM", "spark.kerberos.keytab": "local:///etc/alice.keytab"}},
	{Name: "a keytab without a principal", Conf: conf{"spark.kerberos.keytab": "local:///etc/alice.keytab"}},
	{Name: "Kerberos' file and ConfigMap at once", Conf: conf{
		"spark.kubernetes.kerberos.krb5.configMapName": "krb5", "spark.kubernetes.kerberos.krb5.path": "/nowhere/krb5.conf"}},
}
