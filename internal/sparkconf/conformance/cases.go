package conformance

// Case is one application with its settings.
type Case struct {
	Name string `json:"name"`
	// App is java (the default), python or r.
	App string `json:"app"`
	// Conf are the settings given to spark-submit with --conf.
	Conf map[string]string `json:"conf"`
	// Template is the executor pod template, if any.
	Template string `json:"template"`
	// KubernetesRefuses says that Spark sends the pod, but that the API server
	// would not take it or no machine could hold it.
	KubernetesRefuses bool `json:"-"`
}

type conf = map[string]string

// All is everything that a Spark distribution is asked.
func All() Questions {
	questions := Questions{Memory: memoryStrings, Properties: propertiesTexts}
	for _, list := range [][]Case{memoryCases, coreCases, deviceCases, placementCases, templateCases, countCases} {
		questions.Executors = append(questions.Executors, list...)
	}
	return questions
}

var memoryCases = []Case{
	{Name: "a JVM application with no settings"},
	{Name: "a Python application with no settings", App: "python"},
	{Name: "an R application with no settings", App: "r"},
	{Name: "a small heap has the minimum overhead", Conf: conf{"spark.executor.memory": "512m"}},
	{Name: "a large heap has a tenth of it as overhead", Conf: conf{"spark.executor.memory": "8g"}},
	{Name: "a share that is no whole MiB is rounded down", Conf: conf{"spark.executor.memory": "5555m"}},
	{Name: "a large Python heap has four tenths of it as overhead", App: "python", Conf: conf{"spark.executor.memory": "8g"}},
	{Name: "a heap without a unit is in MiB", Conf: conf{"spark.executor.memory": "2048"}},
	{Name: "units may be in capitals", Conf: conf{"spark.executor.memory": "3G"}},
	{Name: "units may have two letters", Conf: conf{"spark.executor.memory": "3gb"}},
	{Name: "a terabyte of heap", Conf: conf{"spark.executor.memory": "1T"}},
	{Name: "a heap in kilobytes is rounded down", Conf: conf{"spark.executor.memory": "1048575k"}},
	{Name: "a heap of less than a MiB", Conf: conf{"spark.executor.memory": "600k"}},
	{Name: "a heap of zero", Conf: conf{"spark.executor.memory": "0"}},
	{Name: "a negative heap", Conf: conf{"spark.executor.memory": "-1g"}},
	{Name: "a heap that is a fraction", Conf: conf{"spark.executor.memory": "1.5g"}},
	{Name: "a heap in Kubernetes' unit", Conf: conf{"spark.executor.memory": "1Gi"}},
	{Name: "an overhead of its own", Conf: conf{"spark.executor.memory": "8g", "spark.executor.memoryOverhead": "1g"}},
	{Name: "an overhead below the minimum", Conf: conf{"spark.executor.memoryOverhead": "100"}},
	{Name: "an overhead of zero", Conf: conf{"spark.executor.memoryOverhead": "0"}},
	{Name: "a negative overhead", Conf: conf{"spark.executor.memoryOverhead": "-100m"}},
	{Name: "an overhead under its old name", Conf: conf{"spark.yarn.executor.memoryOverhead": "777"}},
	{Name: "the new name of the overhead wins", Conf: conf{"spark.yarn.executor.memoryOverhead": "777", "spark.executor.memoryOverhead": "555m"}},
	{Name: "an overhead that refers to another setting", Conf: conf{"spark.executor.memory": "2g", "spark.executor.memoryOverhead": "${spark.executor.memory}"}},
	{Name: "an overhead that refers to nothing", Conf: conf{"spark.executor.memoryOverhead": "${spark.no.such.key}"}},
	{Name: "an overhead that refers to itself", Conf: conf{"spark.executor.memoryOverhead": "${spark.executor.memoryOverhead}"}},
	{Name: "a factor for executors", Conf: conf{"spark.executor.memory": "8g", "spark.executor.memoryOverheadFactor": "0.25"}},
	{Name: "a factor for both pods", Conf: conf{"spark.executor.memory": "8g", "spark.kubernetes.memoryOverheadFactor": "0.3"}},
	{Name: "a factor for both pods in Python", App: "python", Conf: conf{"spark.executor.memory": "8g", "spark.kubernetes.memoryOverheadFactor": "0.3"}},
	{Name: "the factor for executors wins", App: "python", Conf: conf{
		"spark.executor.memory": "8g", "spark.executor.memoryOverheadFactor": "0.2", "spark.kubernetes.memoryOverheadFactor": "0.3"}},
	{Name: "the factor for drivers changes no executor", Conf: conf{"spark.executor.memory": "8g", "spark.driver.memoryOverheadFactor": "0.5"}},
	{Name: "a factor of zero for both pods", Conf: conf{"spark.executor.memory": "8g", "spark.kubernetes.memoryOverheadFactor": "0"}},
	{Name: "a factor of zero for executors", Conf: conf{"spark.executor.memory": "8g", "spark.executor.memoryOverheadFactor": "0"}},
	{Name: "a negative factor for both pods", Conf: conf{"spark.kubernetes.memoryOverheadFactor": "-0.1"}},
	{Name: "a factor above one", Conf: conf{"spark.executor.memory": "1g", "spark.executor.memoryOverheadFactor": "2.5"}},
	{Name: "a factor with an exponent", Conf: conf{"spark.executor.memory": "8g", "spark.executor.memoryOverheadFactor": "25e-2"}},
	{Name: "a factor with Java's suffix", Conf: conf{"spark.executor.memory": "8g", "spark.executor.memoryOverheadFactor": ".25f"}},
	{Name: "a factor that is no number", Conf: conf{"spark.executor.memoryOverheadFactor": "NaN"}},
	{Name: "a factor with a percent sign", Conf: conf{"spark.executor.memoryOverheadFactor": "10%"}},
	{Name: "a factor beyond all machines", Conf: conf{"spark.executor.memoryOverheadFactor": "1e12"}, KubernetesRefuses: true},
	{Name: "a minimum overhead of its own", Conf: conf{"spark.executor.minMemoryOverhead": "1g"}},
	{Name: "a minimum overhead below the share", Conf: conf{"spark.executor.memory": "8g", "spark.executor.minMemoryOverhead": "100m"}},
	{Name: "a small minimum overhead of a small heap", Conf: conf{"spark.executor.memory": "500m", "spark.executor.minMemoryOverhead": "10m"}},
	{Name: "a negative minimum overhead", Conf: conf{"spark.executor.memory": "500m", "spark.executor.minMemoryOverhead": "-1g"}},
	{Name: "an overhead of its own ignores the minimum", Conf: conf{"spark.executor.memoryOverhead": "100m", "spark.executor.minMemoryOverhead": "1g"}},
	{Name: "off-heap memory", Conf: conf{"spark.memory.offHeap.enabled": "true", "spark.memory.offHeap.size": "2g"}},
	{Name: "off-heap memory without a unit is in bytes", Conf: conf{"spark.memory.offHeap.enabled": "TRUE", "spark.memory.offHeap.size": "1073741824"}},
	{Name: "off-heap memory that isn't enabled", Conf: conf{"spark.memory.offHeap.size": "2g"}},
	{Name: "off-heap memory under its old name", Conf: conf{"spark.unsafe.offHeap": "true", "spark.memory.offHeap.size": "2g"}},
	{Name: "off-heap memory of no size", Conf: conf{"spark.memory.offHeap.enabled": "true"}},
	{Name: "off-heap memory of less than a MiB", Conf: conf{"spark.memory.offHeap.enabled": "true", "spark.memory.offHeap.size": "1000k"}},
	{Name: "off-heap memory of negative size", Conf: conf{"spark.memory.offHeap.size": "-1g"}},
	{Name: "off-heap memory neither on nor off", Conf: conf{"spark.memory.offHeap.enabled": "yes"}},
	{Name: "Python memory in a Python application", App: "python", Conf: conf{"spark.executor.pyspark.memory": "700m"}},
	{Name: "Python memory in a JVM application", Conf: conf{"spark.executor.pyspark.memory": "700m"}},
	{Name: "Python memory in an R application", App: "r", Conf: conf{"spark.executor.pyspark.memory": "700m"}},
	{Name: "negative Python memory", App: "python", Conf: conf{"spark.executor.pyspark.memory": "-1"}},
	{Name: "all kinds of memory", App: "python", Conf: conf{
		"spark.executor.memory": "3g", "spark.executor.memoryOverhead": "500m", "spark.executor.pyspark.memory": "1g",
		"spark.memory.offHeap.enabled": "true", "spark.memory.offHeap.size": "256m"}},
	{Name: "local directories in memory", Conf: conf{"spark.kubernetes.local.dirs.tmpfs": "true"}},
}

var coreCases = []Case{
	{Name: "four cores", Conf: conf{"spark.executor.cores": "4"}},
	{Name: "no cores", Conf: conf{"spark.executor.cores": "0"}},
	{Name: "cores that are no whole number", Conf: conf{"spark.executor.cores": "1.5"}},
	{Name: "a request in millicores", Conf: conf{"spark.executor.cores": "2", "spark.kubernetes.executor.request.cores": "500m"}},
	{Name: "a request that is a fraction", Conf: conf{"spark.kubernetes.executor.request.cores": "0.25"}},
	{Name: "a request of zero", Conf: conf{"spark.kubernetes.executor.request.cores": "0"}},
	{Name: "a negative request", Conf: conf{"spark.kubernetes.executor.request.cores": "-1"}, KubernetesRefuses: true},
	{Name: "a request that is no quantity", Conf: conf{"spark.kubernetes.executor.request.cores": "two"}, KubernetesRefuses: true},
	{Name: "a limit", Conf: conf{"spark.kubernetes.executor.limit.cores": "2"}},
	{Name: "a request and a limit", Conf: conf{"spark.kubernetes.executor.request.cores": "500m", "spark.kubernetes.executor.limit.cores": "1500m"}},
	{Name: "a limit equal to the request", Conf: conf{"spark.kubernetes.executor.request.cores": "0.5", "spark.kubernetes.executor.limit.cores": "500m"}},
	{Name: "a limit below the cores", Conf: conf{"spark.executor.cores": "4", "spark.kubernetes.executor.limit.cores": "2"}, KubernetesRefuses: true},
	{Name: "settings for the driver's cores change no executor", Conf: conf{
		"spark.driver.cores": "3", "spark.kubernetes.driver.request.cores": "2", "spark.kubernetes.driver.limit.cores": "3"}},
	{Name: "recovery mode changes no request", Conf: conf{"spark.executor.cores": "4", "spark.kubernetes.allocation.recoveryMode.enabled": "true"}},
}

var deviceCases = []Case{
	{Name: "two GPUs", Conf: conf{"spark.executor.resource.gpu.amount": "2", "spark.executor.resource.gpu.vendor": "nvidia.com",
		"spark.executor.resource.gpu.discoveryScript": "/opt/gpus.sh"}},
	{Name: "GPUs and FPGAs", Conf: conf{"spark.executor.resource.gpu.amount": "1", "spark.executor.resource.gpu.vendor": "amd.com",
		"spark.executor.resource.fpga.amount": "3", "spark.executor.resource.fpga.vendor": "intel.com"}},
	{Name: "GPUs without a vendor", Conf: conf{"spark.executor.resource.gpu.amount": "2"}},
	{Name: "GPUs without an amount", Conf: conf{"spark.executor.resource.gpu.vendor": "nvidia.com"}},
	{Name: "no GPUs, and so no vendor", Conf: conf{"spark.executor.resource.gpu.amount": "0"}},
	{Name: "half a GPU", Conf: conf{"spark.executor.resource.gpu.amount": "0.5", "spark.executor.resource.gpu.vendor": "nvidia.com"}},
	{Name: "a GPU for the driver changes no executor", Conf: conf{"spark.driver.resource.gpu.amount": "1", "spark.driver.resource.gpu.vendor": "nvidia.com"}},
	{Name: "a device that is called like a setting", Conf: conf{"spark.executor.resource.cores.amount": "1", "spark.executor.resource.cores.vendor": "example.com"}},
}

var placementCases = []Case{
	{Name: "a node selector for both pods", Conf: conf{"spark.kubernetes.node.selector.disk": "ssd"}},
	{Name: "a node selector for executors", Conf: conf{"spark.kubernetes.executor.node.selector.topology.kubernetes.io/zone": "a"}},
	{Name: "the node selector for executors wins", Conf: conf{
		"spark.kubernetes.node.selector.zone": "a", "spark.kubernetes.executor.node.selector.zone": "b", "spark.kubernetes.node.selector.disk": "ssd"}},
	{Name: "a node selector for drivers changes no executor", Conf: conf{"spark.kubernetes.driver.node.selector.zone": "a"}},
	{Name: "a scheduler for both pods", Conf: conf{"spark.kubernetes.scheduler.name": "muster"}},
	{Name: "a scheduler for executors wins", Conf: conf{"spark.kubernetes.scheduler.name": "muster", "spark.kubernetes.executor.scheduler.name": "other"}},
	{Name: "a scheduler for drivers changes no executor", Conf: conf{"spark.kubernetes.driver.scheduler.name": "muster"}},
	{Name: "another port for blocks", Conf: conf{"spark.blockManager.port": "7100"}},
	{Name: "any port for blocks", Conf: conf{"spark.blockManager.port": "0"}},
	{Name: "a port for blocks out of range", Conf: conf{"spark.blockManager.port": "80"}},
	{Name: "another namespace", Conf: conf{"spark.kubernetes.namespace": "team-a"}},
	{Name: "a volume changes no request", Conf: conf{
		"spark.kubernetes.executor.volumes.emptyDir.scratch.mount.path":        "/scratch",
		"spark.kubernetes.executor.volumes.emptyDir.scratch.options.sizeLimit": "5Gi"}},
	{Name: "executors in a StatefulSet", Conf: conf{"spark.kubernetes.allocation.pods.allocator": "statefulset"}},
	{Name: "executors in a Deployment", Conf: conf{"spark.kubernetes.allocation.pods.allocator": "deployment"}},
	{Name: "decommissioning changes no request", Conf: conf{"spark.decommission.enabled": "true"}},
}

var countCases = []Case{
	{Name: "seven executors", Conf: conf{"spark.executor.instances": "7"}},
	{Name: "zero executors", Conf: conf{"spark.executor.instances": "0"}},
	{Name: "executors that are no number", Conf: conf{"spark.executor.instances": "many"}},
	{Name: "dynamic allocation with no settings", Conf: conf{"spark.dynamicAllocation.enabled": "true"}},
	{Name: "dynamic allocation with a minimum", Conf: conf{"spark.dynamicAllocation.enabled": "true", "spark.dynamicAllocation.minExecutors": "3"}},
	{Name: "dynamic allocation with an initial number", Conf: conf{
		"spark.dynamicAllocation.enabled": "true", "spark.dynamicAllocation.minExecutors": "2", "spark.dynamicAllocation.initialExecutors": "5"}},
	{Name: "dynamic allocation with an initial number below the minimum", Conf: conf{
		"spark.dynamicAllocation.enabled": "true", "spark.dynamicAllocation.minExecutors": "4", "spark.dynamicAllocation.initialExecutors": "1"}},
	{Name: "dynamic allocation with instances", Conf: conf{
		"spark.dynamicAllocation.enabled": "true", "spark.dynamicAllocation.minExecutors": "2", "spark.executor.instances": "6"}},
	{Name: "dynamic allocation with a maximum", Conf: conf{
		"spark.dynamicAllocation.enabled": "true", "spark.dynamicAllocation.minExecutors": "1", "spark.dynamicAllocation.maxExecutors": "4"}},
	{Name: "dynamic allocation with a maximum below the start", Conf: conf{
		"spark.dynamicAllocation.enabled": "true", "spark.dynamicAllocation.initialExecutors": "5", "spark.dynamicAllocation.maxExecutors": "4"}},
	{Name: "settings of dynamic allocation that isn't enabled", Conf: conf{
		"spark.dynamicAllocation.minExecutors": "9", "spark.dynamicAllocation.enabled": "false"}},
	{Name: "dynamic allocation neither on nor off", Conf: conf{"spark.dynamicAllocation.enabled": "1"}},
}
