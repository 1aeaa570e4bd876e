package plan_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	kubeflow "github.com/kubeflow/training-operator/pkg/apis/kubeflow.org/v1"
	"github.com/kubeflow/training-operator/pkg/controller.v1/common"
	"github.com/kubeflow/training-operator/pkg/controller.v1/control"
	"github.com/kubeflow/training-operator/pkg/controller.v1/expectation"
	upstream "github.com/kubeflow/training-operator/pkg/controller.v1/tensorflow"
	"github.com/sirupsen/logrus"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/record"
	"k8s.io/utils/ptr"
	"pgregory.net/rapid"

	config "muster.sh/muster/api/config/v1alpha1"
	"muster.sh/muster/operators/tensorflow/plan"
)

// TestPodsAndServicesAreUpstreams compares what is made for random jobs with what
// training-operator's own code makes for them.
func TestPodsAndServicesAreUpstreams(t *testing.T) {
	logrus.SetLevel(logrus.PanicLevel)
	rapid.Check(t, func(rt *rapid.T) {
		domain := rapid.SampledFrom([]string{"", "cluster.local"}).Draw(rt, "domain")
		t.Setenv(upstream.EnvCustomClusterDomain, domain)
		job := randomShape(rt)
		pods, services := upstreams(t, job)
		opts := plan.Options{SchedulerName: "volcano", Gangs: config.GangByPodGroup, ClusterDomain: domain}
		p := plan.Make(plan.Observed{Job: job, Now: start}, opts)
		if diff := cmp.Diff(pods, sortPods(p.CreatePods), cmpopts.EquateEmpty()); diff != "" {
			rt.Errorf("pods differ (-upstream +muster):\n%s", diff)
		}
		if diff := cmp.Diff(services, sortServices(p.CreateServices), cmpopts.EquateEmpty()); diff != "" {
			rt.Errorf("services differ (-upstream +muster):\n%s", diff)
		}
	})
}

func randomShape(t *rapid.T) *kubeflow.TFJob {
	roles := rapid.SampledFrom([]string{"Worker=1", "worker=2", "PS=2 Worker=2", "Chief=1 PS=1 Worker=3 Evaluator=1", "master=1 ps=2", "Evaluator=2"}).Draw(t, "roles")
	job := newJob(roles)
	job.Spec.EnableDynamicWorker = rapid.Bool().Draw(t, "dynamic")
	for _, spec := range sorted(job.Spec.TFReplicaSpecs) {
		if rapid.Bool().Draw(t, "one") && strings.Contains(roles, "=1") {
			spec.Replicas = nil
		}
		spec.RestartPolicy = rapid.SampledFrom([]kubeflow.RestartPolicy{"", "Always", "OnFailure", "Never", "ExitCode"}).Draw(t, "restart policy")
		template := &spec.Template
		template.Labels = rapid.SampledFrom([]map[string]string{nil, {"a": "b"}, {kubeflow.JobNameLabel: "other"}}).Draw(t, "labels")
		template.Annotations = rapid.SampledFrom([]map[string]string{nil, {"c": "d"}}).Draw(t, "annotations")
		template.Finalizers = rapid.SampledFrom([][]string{nil, {"x.io/keep"}}).Draw(t, "finalizers")
		template.Spec.SchedulerName = rapid.SampledFrom([]string{"", "other"}).Draw(t, "scheduler")
		template.Spec.RestartPolicy = rapid.SampledFrom([]corev1.RestartPolicy{"", corev1.RestartPolicyAlways}).Draw(t, "pod's restart policy")
		c := &template.Spec.Containers[0]
		c.Env = rapid.SampledFrom([][]corev1.EnvVar{nil, {{Name: "TF_CONFIG", Value: "mine"}}, {{Name: "A", Value: "b"}}}).Draw(t, "env")
		c.Ports = rapid.SampledFrom([][]corev1.ContainerPort{
			nil, {{Name: "tfjob-port", ContainerPort: 3333}}, {{Name: "http", ContainerPort: 80}, {Name: "a", ContainerPort: 81}},
		}).Draw(t, "ports")
		if rapid.Bool().Draw(t, "sidecar") {
			template.Spec.Containers = []corev1.Container{{Name: "first", Image: "first"}, *c}
		}
	}
	return job
}

// upstreams are the pods and services that training-operator makes for a job.
func upstreams(t *testing.T, job *kubeflow.TFJob) ([]corev1.Pod, []corev1.Service) {
	t.Helper()
	job = job.DeepCopy()
	kubeflow.SetDefaults_TFJob(job)
	pods, services := &control.FakePodControl{}, &control.FakeServiceControl{}
	r := &upstream.TFJobReconciler{}
	r.JobController = common.JobController{
		Controller: r, PodControl: pods, ServiceControl: services,
		Expectations: expectation.NewControllerExpectations(), Recorder: &record.FakeRecorder{},
		Config:          common.JobControllerConfiguration{GangScheduling: common.GangSchedulerVolcano},
		PodGroupControl: control.NewVolcanoControl(nil),
	}
	for kind, spec := range job.Spec.TFReplicaSpecs {
		if err := r.ReconcilePods(job, &kubeflow.JobStatus{}, nil, kind, spec, job.Spec.TFReplicaSpecs); err != nil {
			t.Fatal(err)
		}
		if err := r.ReconcileServices(job, nil, kind, spec); err != nil {
			t.Fatal(err)
		}
	}
	var made []*corev1.Pod
	for i := range pods.Templates {
		pod, err := control.GetPodFromTemplate(&pods.Templates[i], job, &pods.ControllerRefs[i])
		if err != nil {
			t.Fatal(err)
		}
		pod.Namespace = job.Namespace
		made = append(made, pod)
	}
	var madeServices []*corev1.Service
	for i := range services.Templates {
		service := &services.Templates[i]
		service.Namespace, service.OwnerReferences = job.Namespace, []metav1.OwnerReference{services.ControllerRefs[i]}
		madeServices = append(madeServices, service)
	}
	return sortPods(made), sortServices(madeServices)
}

func sortPods(pods []*corev1.Pod) []corev1.Pod {
	var all []corev1.Pod
	for _, pod := range pods {
		all = append(all, *pod)
	}
	slices.SortFunc(all, func(a, b corev1.Pod) int { return strings.Compare(a.Name, b.Name) })
	return all
}

// sortServices sorts ports as well, which upstream takes from a map.
func sortServices(services []*corev1.Service) []corev1.Service {
	var all []corev1.Service
	for _, service := range services {
		slices.SortFunc(service.Spec.Ports, func(a, b corev1.ServicePort) int { return strings.Compare(a.Name, b.Name) })
		all = append(all, *service)
	}
	slices.SortFunc(all, func(a, b corev1.Service) int { return strings.Compare(a.Name, b.Name) })
	return all
}

func ExampleMake() {
	job := newJob("Chief=1 Worker=1")
	p := plan.Make(plan.Observed{Job: job, Now: start}, plan.Options{SchedulerName: "muster"})
	for _, pod := range p.CreatePods {
		fmt.Println(pod.Name, pod.Spec.Containers[0].Env[0].Value)
	}
	// Output:
	// train-chief-0 {"cluster":{"chief":["train-chief-0.ns.svc:2222"],"worker":["train-worker-0.ns.svc:2222"]},"task":{"type":"chief","index":0},"environment":"cloud"}
	// train-worker-0 {"cluster":{"chief":["train-chief-0.ns.svc:2222"],"worker":["train-worker-0.ns.svc:2222"]},"task":{"type":"worker","index":0},"environment":"cloud"}
}

func TestADynamicWorkerKnowsItselfAndParameterServers(t *testing.T) {
	job := newJob("PS=1 Worker=2", func(job *kubeflow.TFJob) { job.Spec.EnableDynamicWorker = true })
	p := plan.Make(plan.Observed{Job: job, Now: start}, plan.Options{})
	want := `{"cluster":{"worker":{"1":"train-worker-1.ns.svc:2222"},"ps":["train-ps-0.ns.svc:2222"]},"task":{"type":"worker","index":1}}`
	if got := p.CreatePods[2].Spec.Containers[0].Env[0].Value; got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
}

func TestGangs(t *testing.T) {
	five := func(n int32) kubeflow.SchedulingPolicy { return kubeflow.SchedulingPolicy{MinAvailable: &n} }
	for name, tc := range map[string]struct {
		job  *kubeflow.TFJob
		all  int32
		each map[string]int32
	}{
		"all start together": {newJob("Chief=1 PS=2 Worker=4 Evaluator=1"), 8,
			map[string]int32{"chief": 1, "ps": 2, "worker": 4, "evaluator": 1}},
		"workers above the minimum come later, and evaluators": {newJob("Chief=1 PS=2 Worker=4 Evaluator=1", scheduled(five(5))), 5,
			map[string]int32{"chief": 1, "ps": 2, "worker": 2}},
		"a minimum of one is the chief": {newJob("Chief=1 Worker=4", scheduled(five(1))), 1, map[string]int32{"chief": 1}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(tc.job)
			w.must()
			if spec := w.group.Spec; spec.MinMember != tc.all || !equal(spec.MinTaskMember, tc.each) {
				t.Errorf("got %d of %v, want %d of %v", spec.MinMember, spec.MinTaskMember, tc.all, tc.each)
			}
			for _, pod := range w.pods {
				if pod.Annotations["scheduling.k8s.io/group-name"] != "train" || pod.Spec.SchedulerName != "muster" ||
					pod.Annotations["volcano.sh/task-spec"] != pod.Labels[kubeflow.ReplicaTypeLabel] {
					t.Errorf("pod %s has %v", pod.Name, pod.Annotations)
				}
			}
			w = newWorld(tc.job)
			w.opts.Gangs = config.GangByAnnotation
			w.must()
			for _, pod := range w.pods {
				if got := pod.Annotations["muster.sh/gang-members"]; got != fmt.Sprint(tc.all) || w.group != nil {
					t.Errorf("pod %s says %q; group %v", pod.Name, got, w.group)
				}
			}
		})
	}
}

func TestAPodGroupSaysWhatTheJobDoes(t *testing.T) {
	job := newJob("Worker=2", scheduled(kubeflow.SchedulingPolicy{Queue: "research", PriorityClass: "high"}), func(job *kubeflow.TFJob) {
		job.Annotations = map[string]string{"muster.sh/required-topology": "rack", "other": "x", "muster.sh/restarts": "{}"}
	})
	w := newWorld(job)
	w.must()
	if g := w.group; g.Spec.Queue != "research" || g.Spec.PriorityClassName != "high" || !equal(g.Annotations, map[string]string{"muster.sh/required-topology": "rack"}) {
		t.Errorf("got %+v", g)
	}
	if pod := w.pods["train-worker-0"]; pod.Spec.PriorityClassName != "high" {
		t.Errorf("the pod is of priority class %q", pod.Spec.PriorityClassName)
	}
	w.change(func(job *kubeflow.TFJob) { job.Spec.TFReplicaSpecs["Worker"].Replicas = ptr.To[int32](3) })
	w.must()
	if n := w.group.Spec.MinMember; n != 3 {
		t.Errorf("with three workers its minimum is %d", n)
	}
}

func TestAPodGroupOfSomebodyElseStays(t *testing.T) {
	w := newWorld(newJob("Worker=1"))
	w.must()
	w.group.OwnerReferences, w.group.Spec.MinMember = nil, 7
	w.exit("worker-0", 0)
	w.must()
	if w.group == nil || w.group.Spec.MinMember != 7 {
		t.Errorf("it is %+v", w.group)
	}
}
