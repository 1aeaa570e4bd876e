package submission

import (
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

//nolint:gosec // These are names of settings, not credentials.
const (
	prefixSecret    = "spark.kubernetes.driver.secrets."
	prefixSecretRef = "spark.kubernetes.driver.secretKeyRef."
)

// secretMounts shows secrets as folders.
func (b *builder) secretMounts() {
	paths := b.conf.WithPrefix(prefixSecret)
	for _, name := range slices.Sorted(maps.Keys(paths)) {
		b.mount(secretVolume(name+"-volume", name), corev1.VolumeMount{MountPath: paths[name]})
	}
}

func secretVolume(name, secret string) corev1.Volume {
	return corev1.Volume{Name: name, VolumeSource: corev1.VolumeSource{
		Secret: &corev1.SecretVolumeSource{SecretName: secret},
	}}
}

// secretVariables shows keys of secrets as variables of the environment.
func (b *builder) secretVariables() {
	references := b.conf.WithPrefix(prefixSecretRef)
	for _, variable := range slices.Sorted(maps.Keys(references)) {
		parts := strings.Split(references[variable], ":")
		if len(parts) != 2 {
			b.conf.Fail(prefixSecretRef+variable, references[variable], "is not the name of a secret and a key in it", "write name:key")
			return
		}
		b.container.Env = append(b.container.Env, corev1.EnvVar{
			Name: variable,
			ValueFrom: &corev1.EnvVarSource{SecretKeyRef: &corev1.SecretKeySelector{
				LocalObjectReference: corev1.LocalObjectReference{Name: parts[0]}, Key: parts[1],
			}},
		})
	}
}
