package sparkactor

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"muster.sh/muster/internal/sparkconf"
)

func TestTheActorReadsWhatSubmitWrites(t *testing.T) {
	shape := corev1.ResourceList{
		corev1.ResourceCPU:    resource.MustParse("1500m"),
		corev1.ResourceMemory: resource.MustParse("3Gi"),
		"nvidia.com/gpu":      resource.MustParse("2"),
	}
	s := newSubmission(App{
		Name: "pi", Namespace: "spark", Executors: 7, ExecutorShape: shape, Duration: 1500 * time.Millisecond,
		SchedulerName: "muster",
		Conf:          map[string]string{"spark.scheduler.minRegisteredResourcesRatio": "1.0", "odd": "a:b=c#d\\e"},
	})
	properties, err := sparkconf.ReadProperties(s.properties())
	if err != nil {
		t.Fatal(err)
	}
	if got := properties["odd"]; got != "a:b=c#d\\e" {
		t.Errorf("a value with special characters is read as %q", got)
	}
	c, err := readConf(s.driverPod(), s.properties(), "")
	if err != nil {
		t.Fatal(err)
	}
	if c.initial != 7 || c.minRatio != 1 || c.duration != 1500*time.Millisecond || c.appID != s.appID || c.appName != "pi" {
		t.Errorf("read %+v", c)
	}
	if c.pod.SchedulerName != "muster" {
		t.Errorf("executors go to scheduler %q", c.pod.SchedulerName)
	}
	requests := sparkconf.PodRequests(&c.pod)
	for name, want := range shape {
		if got := requests[name]; got.Cmp(want) != 0 {
			t.Errorf("executors request %s of %s, want %s", got.String(), name, want.String())
		}
	}
}

func TestATemplateThatTheSettingsNameIsRead(t *testing.T) {
	s := newSubmission(App{Name: "pi", Namespace: "spark", Executors: 1, Conf: map[string]string{
		"spark.kubernetes.executor.podTemplateFile": "/opt/spark/pod-template/pod-spec-template.yml",
	}})
	c, err := readConf(s.driverPod(), s.properties(), "spec: {priorityClassName: high}")
	if err != nil || c.pod.PriorityClassName != "high" {
		t.Errorf("executors have the priority class %q, %v", c.pod.PriorityClassName, err)
	}
	if _, err := readConf(s.driverPod(), s.properties(), ""); err == nil {
		t.Error("one that isn't there is not missed")
	}
}

func TestSettingsThatMakeNoSenseAreRefused(t *testing.T) {
	for _, setting := range []string{
		"spark.scheduler.minRegisteredResourcesRatio=1.5",
		"spark.scheduler.minRegisteredResourcesRatio=NaN",
		"spark.kubernetes.allocation.batch.size=0",
		"spark.kubernetes.allocation.batch.delay=-1s",
		KeyDuration + "=soon",
		KeyBursts + "=0",
	} {
		s := newSubmission(App{Name: "pi", Namespace: "spark", Executors: 1})
		if _, err := readConf(s.driverPod(), s.properties()+setting+"\n", ""); err == nil {
			t.Errorf("%s is taken", setting)
		}
	}
}
