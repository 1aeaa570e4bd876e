package source

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	volcano "volcano.sh/apis/pkg/apis/scheduling/v1beta1"

	"muster.sh/muster/internal/sparkconf"
)

const testScheduler = "muster"

var epoch = time.Date(2030, 1, 1, 12, 0, 0, 0, time.UTC)

// recorded reads an object of a real run of Spark.
func recorded[T any](t testing.TB, path ...string) *T {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(append([]string{"testdata"}, path...)...))
	if err != nil {
		t.Fatal(err)
	}
	out := new(T)
	if err := json.Unmarshal(data, out); err != nil {
		t.Fatal(err)
	}
	return out
}

// podOption changes a pod that is being built.
type podOption func(*v1.Pod)

// newPod builds a pod of ours that waits. Its UID follows from its name.
func newPod(name string, options ...podOption) *v1.Pod {
	p := &v1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: "team", Name: name, UID: types.UID("uid-" + name), CreationTimestamp: metav1.NewTime(epoch),
			Labels: map[string]string{}, Annotations: map[string]string{},
		},
		Spec: v1.PodSpec{
			SchedulerName: testScheduler,
			Containers: []v1.Container{{Name: "main", Resources: v1.ResourceRequirements{
				Requests: v1.ResourceList{v1.ResourceCPU: resource.MustParse("1"), v1.ResourceMemory: resource.MustParse("1Gi")},
			}}},
		},
		Status: v1.PodStatus{Phase: v1.PodPending},
	}
	for _, o := range options {
		o(p)
	}
	return p
}

func label(key, value string) podOption { return func(p *v1.Pod) { p.Labels[key] = value } }

func annotation(key, value string) podOption { return func(p *v1.Pod) { p.Annotations[key] = value } }

func on(node string) podOption {
	return func(p *v1.Pod) { p.Spec.NodeName, p.Status.Phase = node, v1.PodRunning }
}

func phaseOf(phase v1.PodPhase) podOption { return func(p *v1.Pod) { p.Status.Phase = phase } }

func scheduledBy(name string) podOption { return func(p *v1.Pod) { p.Spec.SchedulerName = name } }

func in(namespace string) podOption { return func(p *v1.Pod) { p.Namespace = namespace } }

func created(after time.Duration) podOption {
	return func(p *v1.Pod) { p.CreationTimestamp = metav1.NewTime(epoch.Add(after)) }
}

func deleting() podOption {
	return func(p *v1.Pod) { p.DeletionTimestamp = &metav1.Time{Time: epoch.Add(time.Hour)} }
}

// ownedBy sets the controller.
func ownedBy(kind, name, uid string) podOption {
	return func(p *v1.Pod) {
		yes, version := true, "v1"
		if kind != "Pod" {
			version = "apps/v1"
		}
		p.OwnerReferences = append(p.OwnerReferences, metav1.OwnerReference{
			APIVersion: version, Kind: kind, Name: name, UID: types.UID(uid), Controller: &yes,
		})
	}
}

func executorOf(app string) podOption {
	return func(p *v1.Pod) { p.Labels[sparkconf.LabelAppID], p.Labels[sparkconf.LabelRole] = app, RoleExecutor }
}

// driverOf makes a driver whose volume names the ConfigMap <name of the pod>-conf.
func driverOf(app string) podOption {
	return func(p *v1.Pod) {
		p.Labels[sparkconf.LabelAppID], p.Labels[sparkconf.LabelRole] = app, RoleDriver
		p.Spec.Volumes = append(p.Spec.Volumes, v1.Volume{Name: "spark-conf-volume-driver", VolumeSource: v1.VolumeSource{
			ConfigMap: &v1.ConfigMapVolumeSource{LocalObjectReference: v1.LocalObjectReference{Name: p.Name + "-conf"}},
		}})
	}
}

// properties are settings of an application with so many executors.
func properties(executors int) string {
	return fmt.Sprintf("spark.executor.instances=%d\nspark.executor.memory=512m\nspark.executor.cores=1\n"+
		"spark.kubernetes.scheduler.name=%s\n", executors, testScheduler)
}

func inGroup(name string) podOption { return annotation(volcano.KubeGroupNameAnnotationKey, name) }

func newPodGroup(name string, spec volcano.PodGroupSpec) *volcano.PodGroup {
	return &volcano.PodGroup{
		ObjectMeta: metav1.ObjectMeta{Namespace: "team", Name: name, UID: types.UID("uid-" + name), CreationTimestamp: metav1.NewTime(epoch)},
		Spec:       spec,
	}
}
