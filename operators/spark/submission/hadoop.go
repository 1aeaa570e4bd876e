package submission

import corev1 "k8s.io/api/core/v1"

const keyHadoopMap = "spark.kubernetes.hadoop.configMapName"

// hadoop shows a ConfigMap with Hadoop's configuration to the driver and, by a
// property, to executors.
func (b *builder) hadoop() {
	_, name, found := b.conf.Text(keyHadoopMap)
	if !found {
		return
	}
	const folder = "/opt/hadoop/conf"
	b.mount(configMapVolume("hadoop-properties", name), corev1.VolumeMount{MountPath: folder})
	b.setEnv("HADOOP_CONF_DIR", folder)
	b.stored["spark.kubernetes.executor.hadoopConfigMapName"] = name
}

func configMapVolume(name, configMap string, items ...corev1.KeyToPath) corev1.Volume {
	return corev1.Volume{Name: name, VolumeSource: corev1.VolumeSource{
		ConfigMap: &corev1.ConfigMapVolumeSource{
			LocalObjectReference: corev1.LocalObjectReference{Name: configMap}, Items: items,
		},
	}}
}
