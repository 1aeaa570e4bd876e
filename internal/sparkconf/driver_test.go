package sparkconf

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
)

func TestSourcesAreThoseOfTheDriversOwnVolumes(t *testing.T) {
	configMap := func(volume, name string, keys ...string) corev1.Volume {
		source := &corev1.ConfigMapVolumeSource{LocalObjectReference: corev1.LocalObjectReference{Name: name}}
		for _, key := range keys {
			source.Items = append(source.Items, corev1.KeyToPath{Key: key, Path: "p"})
		}
		return corev1.Volume{Name: volume, VolumeSource: corev1.VolumeSource{ConfigMap: source}}
	}
	for _, test := range []struct {
		name       string
		volumes    []corev1.Volume
		properties Source
		template   Source
	}{
		{name: "a pod without volumes has neither"},
		{name: "both are found by the names of their volumes",
			volumes: []corev1.Volume{configMap("other", "x"), configMap("spark-conf-volume-driver", "conf", "spark.properties"),
				configMap("pod-template-volume", "template", "podspec-configmap-key")},
			properties: Source{"conf", "spark.properties"}, template: Source{"template", "podspec-configmap-key"}},
		{name: "a volume that shows all keys shows this one",
			volumes: []corev1.Volume{configMap("spark-conf-volume-driver", "conf")}, properties: Source{"conf", "spark.properties"}},
		{name: "a volume that shows other keys doesn't count",
			volumes: []corev1.Volume{configMap("spark-conf-volume-driver", "conf", "log4j2.properties")}},
		{name: "a volume that is no ConfigMap doesn't count",
			volumes: []corev1.Volume{{Name: "spark-conf-volume-driver"}}},
		{name: "a ConfigMap without a name doesn't count",
			volumes: []corev1.Volume{configMap("spark-conf-volume-driver", "")}},
	} {
		t.Run(test.name, func(t *testing.T) {
			pod := &corev1.Pod{Spec: corev1.PodSpec{Volumes: test.volumes}}
			requireSource(t, test.properties, PropertiesSource, pod)
			requireSource(t, test.template, TemplateSource, pod)
		})
	}
}

func requireSource(t *testing.T, want Source, find func(*corev1.Pod) (Source, bool), pod *corev1.Pod) {
	t.Helper()
	got, ok := find(pod)
	if ok != (want != Source{}) || ok && got != want {
		t.Errorf("got %+v, %v, want %+v", got, ok, want)
	}
}

func TestReleaseLines(t *testing.T) {
	for version, want := range map[string]line{
		"3.5.9": {3, 5}, "4.0.1": {4, 0}, "4.2.0-SNAPSHOT": {4, 2}, "4.10": {4, 10}, "10.1.2": {10, 1},
		"": newest, "four": newest, "4": newest, "99999999999999999999.1": newest,
	} {
		if got := parseLine(version); got != want {
			t.Errorf("version %q is of line %v, want %v", version, got, want)
		}
	}
	if !(line{3, 5}).before(line{4, 0}) || !(line{4, 1}).before(line{4, 2}) || (line{4, 2}).before(line{4, 2}) || (line{5, 0}).before(line{4, 2}) {
		t.Error("lines are out of order")
	}
}
