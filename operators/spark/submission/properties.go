package submission

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/ptr"

	"muster.sh/muster/internal/sparkconf"
)

// mountProperties keeps the settings, those that the steps added as well, where the
// driver finds them.
func (b *builder) mountProperties() {
	name := "spark-drv-" + b.id.UniqueID + "-conf-map"
	b.setEnv("SPARK_CONF_DIR", propertiesFolder)
	b.mount(configMapVolume("spark-conf-volume-driver", name, corev1.KeyToPath{
		Key: propertiesFile, Path: propertiesFile, Mode: ptr.To[int32](0o644),
	}), corev1.VolumeMount{MountPath: propertiesFolder})
	b.owned = append(b.owned, b.configMap(name, map[string]string{
		propertiesFile: sparkconf.WriteProperties(b.stored),
		// Spark writes this one twice, and nobody reads it here.
		keyNamespace: b.namespace,
	}))
}
