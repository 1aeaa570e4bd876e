package plan

import (
	"cmp"
	"slices"
	"strings"
	"time"

	kubeflow "github.com/kubeflow/training-operator/pkg/apis/kubeflow.org/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	volcano "volcano.sh/apis/pkg/apis/scheduling/v1beta1"

	config "muster.sh/muster/api/config/v1alpha1"
)

// Options are the same for all jobs.
type Options struct {
	// SchedulerName is put into pods whose template names no scheduler.
	SchedulerName string
	// Gangs says by what the pods of a job are declared to be a gang. Auto is not
	// among it: what the API server serves is known here.
	Gangs config.GangDeclaration
	// ClusterDomain ends the host names in TF_CONFIG, if it is not empty.
	ClusterDomain string
}

// Observed is what exists, and all that a plan is made from.
type Observed struct {
	Job *kubeflow.TFJob
	// Pods and Services are those that the job controls.
	Pods     []*corev1.Pod
	Services []*corev1.Service
	// Group is the PodGroup of the job's name, if there is one.
	Group *volcano.PodGroup
	Now   time.Time
}

// Plan is what is to be done, in the order of its fields. It may be broken off
// between any two steps: the plan that is made then completes it.
type Plan struct {
	// Restarts is to be remembered before the pods in it are deleted; nil if there is
	// nothing new.
	Restarts *Restarts
	// Status is the job's from now on.
	Status kubeflow.JobStatus
	// Events tell of what is new in the status.
	Events []Event

	DeletePods     []*corev1.Pod
	DeleteServices []*corev1.Service
	// DeleteGroup is the PodGroup that is not needed any more, or nil.
	DeleteGroup *volcano.PodGroup
	// DeleteJob says that the finished job's time is over.
	DeleteJob bool

	CreateServices []*corev1.Service
	// Group is the PodGroup as it is to be, or nil where it is so already.
	Group      *volcano.PodGroup
	CreatePods []*corev1.Pod

	// Again is when to plan anew even though nothing changes; zero is never.
	Again time.Duration
}

// Event is told to the user about the job, and one of its pods if it is not nil.
type Event struct {
	Type, Reason, Message string
	Pod                   *corev1.Pod
}

// Creates reports whether the plan brings anything into being.
func (p *Plan) Creates() bool {
	return len(p.CreateServices) > 0 || p.Group != nil || len(p.CreatePods) > 0
}

// planner makes one plan.
type planner struct {
	Plan

	opts  Options
	seen  Observed
	job   *kubeflow.TFJob // with its defaults
	roles []role
	// cluster is what endpoints has put together.
	cluster map[string][]string
}

// Make plans the next step of a job.
func Make(seen Observed, opts Options) Plan {
	p := &planner{opts: opts, seen: seen, job: seen.Job}
	p.Status = *seen.Job.Status.DeepCopy()
	switch {
	case seen.Job.DeletionTimestamp != nil || managedElsewhere(seen.Job):
	case finished(&p.Status):
		p.cleanUp()
	default:
		p.live()
	}
	return p.Plan
}

// managedElsewhere tells whether another controller looks after the job.
func managedElsewhere(job *kubeflow.TFJob) bool {
	by := ptr.Deref(job.Spec.RunPolicy.ManagedBy, "")
	return by != "" && by != kubeflow.KubeflowJobsController
}

// live plans for a job that has not finished.
func (p *planner) live() {
	if errs := Validate(p.job); len(errs) > 0 {
		p.refuse(errs.ToAggregate())
		return
	}
	p.job = p.job.DeepCopy()
	kubeflow.SetDefaults_TFJob(p.job)
	p.roles = rolesOf(p.job, p.seen.Pods)
	p.become(kubeflow.JobCreated, corev1.ConditionTrue, "Created", "TFJob "+p.job.Name+" is created.")
	if ptr.Deref(p.job.Spec.RunPolicy.Suspend, false) {
		p.suspend()
		return
	}
	p.resume()
	p.tellAbnormal()
	if p.count(); !p.end() {
		p.keepUp()
	}
}

// keepUp has exactly the pods and services there that the job asks for.
func (p *planner) keepUp() {
	p.replace()
	p.Group = p.wantedGroup()
	wanted := map[string]bool{}
	services := byName(p.seen.Services)
	for _, r := range p.roles {
		for index, pod := range r.pods {
			name := r.podName(p.job, index)
			wanted[name] = true
			if pod == nil {
				p.CreatePods = append(p.CreatePods, p.pod(r, index))
			}
			if services[name] == nil {
				p.CreateServices = append(p.CreateServices, service(p.job, r, index))
			}
		}
	}
	p.deletePods(func(pod *corev1.Pod) bool { return !wanted[pod.Name] })
	p.deleteServices(func(s *corev1.Service) bool { return !wanted[s.Name] })
	p.tellOfTemplates()
}

// deletePods deletes those pods that are not being deleted yet.
func (p *planner) deletePods(which func(*corev1.Pod) bool) {
	for _, pod := range p.seen.Pods {
		if pod.DeletionTimestamp == nil && which(pod) {
			p.DeletePods = append(p.DeletePods, pod)
		}
	}
	slices.SortFunc(p.DeletePods, inOrder[*corev1.Pod])
}

func (p *planner) deleteServices(which func(*corev1.Service) bool) {
	for _, service := range p.seen.Services {
		if service.DeletionTimestamp == nil && which(service) {
			p.DeleteServices = append(p.DeleteServices, service)
		}
	}
	slices.SortFunc(p.DeleteServices, inOrder[*corev1.Service])
}

// after asks to plan anew at a time.
func (p *planner) after(t time.Time) {
	// A little late is well; early would find nothing to do, and end it there.
	wait := max(t.Sub(p.seen.Now), time.Millisecond)
	if p.Again == 0 || wait < p.Again {
		p.Again = wait
	}
}

func (p *planner) tell(kind, reason, message string) { p.tellOf(nil, kind, reason, message) }

func (p *planner) tellOf(pod *corev1.Pod, kind, reason, message string) {
	p.Events = append(p.Events, Event{kind, reason, message, pod})
}

func byName[T metav1.Object](objects []T) map[string]metav1.Object {
	named := map[string]metav1.Object{}
	for _, object := range objects {
		named[object.GetName()] = object
	}
	return named
}

func inOrder[T metav1.Object](a, b T) int { return cmp.Compare(a.GetName(), b.GetName()) }

// lower is how a replica type reads in names, labels and TF_CONFIG.
func lower(t kubeflow.ReplicaType) string { return strings.ToLower(string(t)) }
