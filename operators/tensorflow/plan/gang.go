package plan

import (
	"cmp"
	"strconv"

	kubeflow "github.com/kubeflow/training-operator/pkg/apis/kubeflow.org/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	volcanobatch "volcano.sh/apis/pkg/apis/batch/v1alpha1"
	volcano "volcano.sh/apis/pkg/apis/scheduling/v1beta1"

	config "muster.sh/muster/api/config/v1alpha1"
	"muster.sh/muster/api/v1alpha1"
)

// minimum is how many replicas start together, in all and by role. Below the number
// of all replicas the last workers, and evaluators before them, come when there is room.
func (p *planner) minimum() (all int32, each map[string]int32) {
	all = int32(total(p.roles))
	if at := p.scheduling().MinAvailable; at != nil {
		all = *at
	}
	left, each := all, map[string]int32{}
	for _, r := range p.roles {
		if n := min(left, int32(len(r.pods))); n > 0 {
			each[lower(r.kind)] = n
			left -= n
		}
	}
	return all, each
}

func (p *planner) scheduling() kubeflow.SchedulingPolicy {
	if policy := p.job.Spec.RunPolicy.SchedulingPolicy; policy != nil {
		return *policy
	}
	return kubeflow.SchedulingPolicy{}
}

func (p *planner) queue() string {
	return cmp.Or(p.scheduling().Queue, p.job.Labels[v1alpha1.QueueLabel])
}

// join makes a pod a member of the job's gang.
func (p *planner) join(pod *corev1.Pod, r role) {
	pod.Spec.SchedulerName = cmp.Or(pod.Spec.SchedulerName, p.opts.SchedulerName)
	pod.Spec.PriorityClassName = cmp.Or(pod.Spec.PriorityClassName, p.scheduling().PriorityClass)
	switch p.opts.Gangs {
	case config.GangByPodGroup:
		put(&pod.Annotations, map[string]string{
			volcano.KubeGroupNameAnnotationKey: p.job.Name,
			volcanobatch.TaskSpecKey:           lower(r.kind),
		})
	case config.GangByAnnotation:
		all, _ := p.minimum()
		put(&pod.Annotations, wishes(p.job))
		pod.Annotations[v1alpha1.GangMembersAnnotation] = strconv.Itoa(int(all))
		if queue := p.queue(); queue != "" {
			pod.Labels[v1alpha1.QueueLabel] = queue
		}
	}
}

func (p *planner) anotherScheduler() bool {
	for _, r := range p.roles {
		name := r.spec.Template.Spec.SchedulerName
		if name != "" && name != p.opts.SchedulerName && p.opts.Gangs != config.GangNone {
			return true
		}
	}
	return false
}

// wantedGroup is the job's PodGroup, or nil where there is none to write: it is as it
// should be, or somebody else's, who has said what the gang is.
func (p *planner) wantedGroup() *volcano.PodGroup {
	if p.opts.Gangs != config.GangByPodGroup {
		return nil
	}
	group := &volcano.PodGroup{ObjectMeta: metav1.ObjectMeta{
		Name: p.job.Name, Namespace: p.job.Namespace,
		Labels: Labels(p.job.Name), Annotations: wishes(p.job), OwnerReferences: ownerOf(p.job),
	}}
	old := p.seen.Group
	if old != nil {
		if !metav1.IsControlledBy(old, p.job) || old.DeletionTimestamp != nil {
			return nil
		}
		group = old.DeepCopy()
	}
	p.fill(&group.Spec)
	if old != nil && equality.Semantic.DeepEqual(old.Spec, group.Spec) {
		return nil
	}
	return group
}

// fill sets what the job says of its gang, and leaves the rest to others.
func (p *planner) fill(spec *volcano.PodGroupSpec) {
	spec.MinMember, spec.MinTaskMember = p.minimum()
	policy := p.scheduling()
	spec.Queue = cmp.Or(p.queue(), spec.Queue)
	spec.PriorityClassName = policy.PriorityClass
	if policy.MinResources != nil {
		resources := corev1.ResourceList(*policy.MinResources)
		spec.MinResources = &resources
	}
}

func (p *planner) deleteGroup() {
	group := p.seen.Group
	if group != nil && group.DeletionTimestamp == nil && metav1.IsControlledBy(group, p.job) {
		p.DeleteGroup = group
	}
}
