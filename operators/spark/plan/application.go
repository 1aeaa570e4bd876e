package plan

import (
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation/field"
)

const (
	keyAppName       = "spark.app.name"
	keyNamespace     = "spark.kubernetes.namespace"
	keyDriverPodName = "spark.kubernetes.driver.pod.name"
)

// applicationSettings are those of the application as a whole. Fields about images and
// Python come before sparkConf, which wins; so it is with spark-submit's arguments as
// Kubeflow's operator writes them. All other fields win over sparkConf.
func (p *planner) applicationSettings() {
	spec, s := &p.app.Spec, &p.settings
	setField(s, specPath.Child("image"), "spark.kubernetes.container.image", spec.Image)
	setField(s, specPath.Child("imagePullPolicy"), "spark.kubernetes.container.image.pullPolicy", spec.ImagePullPolicy)
	p.setList(specPath.Child("imagePullSecrets"), "spark.kubernetes.container.image.pullSecrets", spec.ImagePullSecrets)
	setField(s, specPath.Child("pythonVersion"), "spark.kubernetes.pyspark.pythonVersion", spec.PythonVersion)
	setField(s, specPath.Child("memoryOverheadFactor"), "spark.kubernetes.memoryOverheadFactor", spec.MemoryOverheadFactor)
	s.set(specPath, "spark.kubernetes.submission.waitAppCompletion", "false")
	s.setAll(specPath.Child("sparkConf"), "", spec.SparkConf)
	s.setAll(specPath.Child("hadoopConf"), "spark.hadoop.", spec.HadoopConf)

	s.set(field.NewPath("metadata", "name"), keyAppName, p.app.Name)
	s.set(field.NewPath("metadata", "namespace"), keyNamespace, p.app.Namespace)
	p.dependencies()
	s.setAll(specPath.Child("nodeSelector"), "spark.kubernetes.node.selector.", spec.NodeSelector)
	p.dynamicAllocation()
}

func (p *planner) setList(path *field.Path, key string, values []string) {
	if len(values) > 0 {
		p.settings.set(path, key, strings.Join(values, ","))
	}
}

func (p *planner) dependencies() {
	deps, path := p.app.Spec.Deps, specPath.Child("deps")
	p.setList(path.Child("jars"), "spark.jars", deps.Jars)
	p.setList(path.Child("files"), "spark.files", deps.Files)
	p.setList(path.Child("pyFiles"), "spark.submit.pyFiles", deps.PyFiles)
	p.setList(path.Child("archives"), "spark.archives", deps.Archives)
	p.setList(path.Child("packages"), "spark.jars.packages", deps.Packages)
	p.setList(path.Child("excludePackages"), "spark.jars.excludes", deps.ExcludePackages)
	p.setList(path.Child("repositories"), "spark.jars.repositories", deps.Repositories)
}

func (p *planner) dynamicAllocation() {
	allocation := p.app.Spec.DynamicAllocation
	if allocation == nil || !allocation.Enabled {
		return
	}
	const prefix = "spark.dynamicAllocation."
	s, path := &p.settings, specPath.Child("dynamicAllocation")
	s.set(path.Child("enabled"), prefix+"enabled", "true")
	setField(s, path.Child("initialExecutors"), prefix+"initialExecutors", allocation.InitialExecutors)
	setField(s, path.Child("minExecutors"), prefix+"minExecutors", allocation.MinExecutors)
	setField(s, path.Child("maxExecutors"), prefix+"maxExecutors", allocation.MaxExecutors)
	setField(s, path.Child("shuffleTrackingEnabled"), prefix+"shuffleTracking.enabled", allocation.ShuffleTrackingEnabled)
	setField(s, path.Child("shuffleTrackingTimeout"), prefix+"shuffleTracking.timeout", allocation.ShuffleTrackingTimeout)
}

func (p *planner) driverSettings() {
	driver, s, path := &p.app.Spec.Driver, &p.settings, specPath.Child("driver")
	s.set(path.Child("podName"), keyDriverPodName, DriverPodName(p.app))
	setField(s, path.Child("kubernetesMaster"), "spark.kubernetes.driver.master", driver.KubernetesMaster)
	s.setAll(path.Child("serviceLabels"), "spark.kubernetes.driver.service.label.", driver.ServiceLabels)
	s.setAll(path.Child("serviceAnnotations"), "spark.kubernetes.driver.service.annotation.", driver.ServiceAnnotations)
}

func (p *planner) executorSettings() {
	executor, s, path := &p.app.Spec.Executor, &p.settings, specPath.Child("executor")
	setField(s, path.Child("instances"), "spark.executor.instances", executor.Instances)
	setField(s, path.Child("deleteOnTermination"), "spark.kubernetes.executor.deleteOnTermination", executor.DeleteOnTermination)
	// Executors' containers have these as variables; those of the template would lose
	// to Spark's own.
	for _, folder := range p.configFolders() {
		s.set(specPath, "spark.executorEnv."+folder.Name, folder.Value)
	}
	p.executorMemoryLimit()
}

// sortedKeys are a map's, so that what is made of them is always the same.
func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
