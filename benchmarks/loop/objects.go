package loop

import (
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	volcanov1beta1 "volcano.sh/apis/pkg/apis/scheduling/v1beta1"

	"muster.sh/muster/benchmarks/contender"
	"muster.sh/muster/benchmarks/scenario"
	"muster.sh/muster/internal/localcluster"
)

// objects are what exists before the loop is let go.
type objects struct {
	by     contender.Contender
	nodes  []*corev1.Node
	pods   []*corev1.Pod
	groups []*unstructured.Unstructured
	// held says of the pods, by name, which must not be bound.
	held map[string]bool
	// born is the time of creation of the next gang.
	born time.Time
}

func newObjects(s scenario.Scenario) (*objects, error) {
	by, err := contender.Find("muster", contender.Folders{})
	if err != nil {
		return nil, err
	}
	shape, err := localcluster.ParseShape(scenario.NodeShape)
	if err != nil {
		return nil, err
	}
	o := &objects{by: by, held: map[string]bool{}}
	for i := range s.Nodes {
		o.nodes = append(o.nodes, newNode(i, shape.Resources))
	}
	gangs := s.Gangs + s.Held/s.Size
	o.born = time.Now().Add(-time.Minute - time.Duration(gangs)*time.Second).Truncate(time.Second)
	for i := range s.Gangs {
		o.gang(contender.Gang{Namespace: scenario.Namespace, Name: fmt.Sprintf("g%05d", i), Size: s.Size}, s.Size)
	}
	all := shape.Resources.Cpu().DeepCopy()
	all.Set(all.Value() * int64(s.Nodes))
	for i := range s.Held / s.Size {
		o.heldGang(i, s.Size, all)
	}
	return o, nil
}

// gang adds a gang with its pods.
func (o *objects) gang(g contender.Gang, pods int) *unstructured.Unstructured {
	group := o.by.Declare(g)
	group.SetUID(uid('a', len(o.groups)))
	group.SetCreationTimestamp(metav1.NewTime(o.born))
	o.groups = append(o.groups, group)
	for i := range pods {
		p := o.by.NewPod(g, i)
		o.by.Join(p, g)
		p.UID, p.CreationTimestamp = uid('b', len(o.pods)), metav1.NewTime(o.born)
		complete(p)
		o.pods = append(o.pods, p)
	}
	o.born = o.born.Add(time.Second)
	return group
}

// heldGang adds a gang whose pods are held for good. One half of such gangs lack a
// member. The other half are whole and wait for room: they ask for all CPUs of the
// cluster to be free, which they no longer are when the others have started. They
// are younger than the others, as a gang that waits for room lets none behind it
// pass.
//
// Their PodGroups say already that they wait, as Muster has written when they came.
func (o *objects) heldGang(i, size int, cpus resource.Quantity) {
	g := contender.Gang{Namespace: scenario.Namespace, Name: fmt.Sprintf("h%05d", i), Size: size}
	if i%2 == 0 {
		g.Size++
	}
	group := o.gang(g, size)
	for _, p := range o.pods[len(o.pods)-size:] {
		o.held[p.Name] = true
	}
	group.Object["status"] = map[string]any{"phase": string(volcanov1beta1.PodGroupPending)}
	if i%2 == 1 {
		group.Object["spec"].(map[string]any)["minResources"] = map[string]any{"cpu": cpus.String()}
	}
}

func uid(kind byte, i int) types.UID {
	return types.UID(fmt.Sprintf("%08x-0000-4000-8000-%c00000000000", i, kind))
}

// complete sets what an API server sets on every pod.
func complete(p *corev1.Pod) {
	grace, priority, seconds := int64(corev1.DefaultTerminationGracePeriodSeconds), int32(0), int64(300)
	preempt, links := corev1.PreemptLowerPriority, true
	p.Spec.RestartPolicy, p.Spec.DNSPolicy = corev1.RestartPolicyAlways, corev1.DNSClusterFirst
	p.Spec.TerminationGracePeriodSeconds, p.Spec.EnableServiceLinks = &grace, &links
	p.Spec.ServiceAccountName, p.Spec.SecurityContext = "default", &corev1.PodSecurityContext{}
	p.Spec.Priority, p.Spec.PreemptionPolicy = &priority, &preempt
	for _, taint := range []string{corev1.TaintNodeNotReady, corev1.TaintNodeUnreachable} {
		p.Spec.Tolerations = append(p.Spec.Tolerations, corev1.Toleration{
			Key: taint, Operator: corev1.TolerationOpExists, Effect: corev1.TaintEffectNoExecute, TolerationSeconds: &seconds,
		})
	}
	for i := range p.Spec.Containers {
		c := &p.Spec.Containers[i]
		c.ImagePullPolicy, c.TerminationMessagePath, c.TerminationMessagePolicy = corev1.PullIfNotPresent, corev1.TerminationMessagePathDefault, corev1.TerminationMessageReadFile
	}
	p.Status.Phase, p.Status.QOSClass = corev1.PodPending, corev1.PodQOSGuaranteed
}

func newNode(i int, resources corev1.ResourceList) *corev1.Node {
	name := fmt.Sprintf("node-%05d", i)
	return &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{
			Name: name, UID: uid('c', i),
			Labels: map[string]string{corev1.LabelHostname: name, corev1.LabelOSStable: "linux", corev1.LabelArchStable: "amd64"},
		},
		Status: corev1.NodeStatus{
			Capacity: resources, Allocatable: resources,
			Conditions: []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionTrue}},
		},
	}
}
