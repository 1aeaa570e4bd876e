package sparkconf

import (
	"regexp"
	"strconv"

	corev1 "k8s.io/api/core/v1"
)

// Labels that Spark puts on the pods of an application.
const (
	LabelAppID   = "spark-app-selector"
	LabelAppName = "spark-app-name"
	LabelRole    = "spark-role"
	LabelVersion = "spark-version"
)

// Values of LabelRole.
const (
	RoleDriver   = "driver"
	RoleExecutor = "executor"
)

// Source is one entry of a ConfigMap.
type Source struct {
	// ConfigMap is the name of the ConfigMap, in the driver's namespace.
	ConfigMap string
	// Key is the entry in it.
	Key string
}

// PropertiesSource returns where the spark.properties of a driver pod are, as
// the pod's own volume says. It is false for a pod that spark-submit didn't
// make, such as a notebook that drives its executors in client mode.
func PropertiesSource(driver *corev1.Pod) (Source, bool) {
	return volumeSource(driver, "spark-conf-volume-driver", "spark.properties")
}

// TemplateSource returns where the executor pod template of a driver pod is. It
// is false if the application has none.
func TemplateSource(driver *corev1.Pod) (Source, bool) {
	return volumeSource(driver, "pod-template-volume", "podspec-configmap-key")
}

// volumeSource finds the ConfigMap behind a volume and checks that the volume
// shows the key.
func volumeSource(pod *corev1.Pod, volume, key string) (Source, bool) {
	for _, candidate := range pod.Spec.Volumes {
		config := candidate.ConfigMap
		if candidate.Name != volume || config == nil || config.Name == "" {
			continue
		}
		shown := len(config.Items) == 0
		for _, item := range config.Items {
			shown = shown || item.Key == key
		}
		return Source{ConfigMap: config.Name, Key: key}, shown
	}
	return Source{}, false
}

// line is a Spark release line, such as 4.0.
type line struct{ major, minor int }

// newest is what an unknown version counts as.
var newest = line{4, 3}

var versionPattern = regexp.MustCompile(`^([0-9]{1,4})\.([0-9]{1,4})`)

// parseLine reads the release line from a version such as 3.5.9.
func parseLine(version string) line {
	match := versionPattern.FindStringSubmatch(version)
	if match == nil {
		return newest
	}
	major, _ := strconv.Atoi(match[1])
	minor, _ := strconv.Atoi(match[2])
	return line{major, minor}
}

// before says whether l is an older line than other.
func (l line) before(other line) bool {
	return l.major < other.major || l.major == other.major && l.minor < other.minor
}
