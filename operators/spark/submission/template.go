package submission

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"muster.sh/muster/internal/sparkconf"
)

const keyExecutorTemplate = "spark.kubernetes.executor.podTemplateFile"

// executorTemplate keeps the template of executors' pods where the driver finds it.
func (b *builder) executorTemplate() {
	if b.app.ExecutorTemplate == "" {
		if key, file, found := b.conf.Text(keyExecutorTemplate); found {
			b.conf.Fail(key, file, "is a file that can't be read from here", "give the executors' pod template itself")
		}
		return
	}
	const (
		entry  = "podspec-configmap-key"
		folder = "/opt/spark/pod-template"
		file   = "pod-spec-template.yml"
	)
	if len(b.app.ExecutorTemplate) > sparkconf.MaxTextBytes {
		b.conf.Fail(keyExecutorTemplate, "", "is longer than the ConfigMap that it has to fit in", "shorten the executors' pod template")
	}
	name := b.prefix + "-driver-podspec-conf-map"
	b.mount(configMapVolume("pod-template-volume", name, corev1.KeyToPath{Key: entry, Path: file}),
		corev1.VolumeMount{MountPath: folder})
	b.owned = append(b.owned, b.configMap(name, map[string]string{entry: b.app.ExecutorTemplate}))
	b.stored[keyExecutorTemplate] = folder + "/" + file
}

func (b *builder) configMap(name string, data map[string]string) *corev1.ConfigMap {
	return &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: b.namespace},
		Immutable:  ptr.To(true),
		Data:       data,
	}
}
