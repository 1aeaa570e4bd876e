// Package constraints tells that gangs heed what kube-scheduler's own plugins know
// and the planner does not: affinity between pods, spread, volumes, devices of
// resource claims, host ports and taints.
package constraints

import (
	"context"
	"fmt"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"muster.sh/muster/test/testcluster"
)

const (
	nodes = 6
	// zoneLabel divides the nodes into three zones, taintKey marks the last.
	zoneLabel = corev1.LabelTopologyZone
	taintKey  = "example.com/reserved"
)

// story is one gang, or two, with a constraint.
type story struct {
	*testing.T
	*testcluster.Cluster
	ctx context.Context
	// node has the nodes, in order of their names.
	node []string
	zone map[string]string
}

func TestGangsHeedWhatThePlannerDoesNotKnow(t *testing.T) {
	ctx, c := testcluster.Start(t, testcluster.Spec{Scheduler: testcluster.Muster, Nodes: nodes, Shape: "cpu=8,memory=32Gi"})
	all := &story{T: t, Cluster: c, ctx: ctx, zone: map[string]string{}}
	all.prepare()
	for _, of := range []struct {
		name string
		play func(*story)
	}{
		{"members that keep apart are on a node each", apart},
		{"members that keep near follow each other into a zone", near},
		{"members are spread evenly over zones", spread},
		{"members go to where a pod is that they need", beside},
		{"members go to where their volumes are", volumes},
		{"members go to where the devices of their claims are", devices},
		{"members with one host port are on a node each", ports},
		{"only who bears a taint goes onto a tainted node", tainted},
		{"who can't be placed starts nothing and blocks nobody", impossible},
		{"members that ask for several of these get them all", several},
	} {
		t.Run(of.name, func(t *testing.T) {
			s := *all
			s.T = t
			of.play(&s)
			s.must(s.Clear(s.ctx))
		})
	}
	c.RequireNoFault(t, 0)
}

// prepare labels the nodes, and taints the last.
func (s *story) prepare() {
	list, err := s.Client().CoreV1().Nodes().List(s.ctx, metav1.ListOptions{})
	s.must(err)
	for i, n := range list.Items {
		zone := []string{"a", "b", "c"}[i*3/len(list.Items)]
		s.node, s.zone[n.Name] = append(s.node, n.Name), zone
		s.patchNode(n.Name, fmt.Sprintf(`{"metadata":{"labels":{%q:%q,%q:%q}}}`, zoneLabel, zone, corev1.LabelHostname, n.Name))
	}
}

func (s *story) patchNode(name, patch string) {
	s.Helper()
	_, err := s.Client().CoreV1().Nodes().Patch(s.ctx, name, types.MergePatchType, []byte(patch), metav1.PatchOptions{})
	s.must(err)
}

func (s *story) must(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

// gang creates a gang of members of a core, that bear its name as a label.
func (s *story) gang(name string, members int, change func(*corev1.Pod)) {
	s.Helper()
	s.must(s.CreatePodGroups(s.ctx, testcluster.PodGroup{Name: name, Members: members, CPUs: 1, Change: func(p *corev1.Pod) {
		p.Labels = map[string]string{"app": name}
		change(p)
	}}))
}

// placed waits until so many members of a gang have a node, and counts them by node.
func (s *story) placed(name string, members int) map[string]int {
	s.Helper()
	on, err := s.AwaitPlaced(s.ctx, name, members)
	s.must(err)
	return on
}

// oneEach requires that members are on so many nodes, one on each.
func (s *story) oneEach(on map[string]int, members int) {
	s.Helper()
	if len(on) != members {
		s.Errorf("they are on %v, want one each on %d nodes", on, members)
	}
}

func selects(name string) *metav1.LabelSelector {
	return &metav1.LabelSelector{MatchLabels: map[string]string{"app": name}}
}

func terms(name, key string) []corev1.PodAffinityTerm {
	return []corev1.PodAffinityTerm{{LabelSelector: selects(name), TopologyKey: key}}
}

func antiAffine(name string) func(*corev1.Pod) {
	return func(p *corev1.Pod) {
		p.Spec.Affinity = &corev1.Affinity{PodAntiAffinity: &corev1.PodAntiAffinity{
			RequiredDuringSchedulingIgnoredDuringExecution: terms(name, corev1.LabelHostname),
		}}
	}
}

func affine(name string) func(*corev1.Pod) {
	return func(p *corev1.Pod) {
		p.Spec.Affinity = &corev1.Affinity{PodAffinity: &corev1.PodAffinity{
			RequiredDuringSchedulingIgnoredDuringExecution: terms(name, zoneLabel),
		}}
	}
}

func evenly(name string) func(*corev1.Pod) {
	return func(p *corev1.Pod) {
		p.Spec.TopologySpreadConstraints = []corev1.TopologySpreadConstraint{{
			MaxSkew: 1, TopologyKey: zoneLabel, WhenUnsatisfiable: corev1.DoNotSchedule, LabelSelector: selects(name),
		}}
	}
}

func apart(s *story) {
	s.gang("apart", nodes, antiAffine("apart"))
	s.oneEach(s.placed("apart", nodes), nodes)
}

// The members fill a whole zone, so most must follow the first across nodes.
func near(s *story) {
	s.gang("near", 16, affine("near"))
	zones := map[string]bool{}
	for node := range s.placed("near", 16) {
		zones[s.zone[node]] = true
	}
	if len(zones) != 1 {
		s.Errorf("they are in zones %v", zones)
	}
}

func spread(s *story) {
	s.gang("spread", 9, evenly("spread"))
	inZone := map[string]int{}
	for node, n := range s.placed("spread", 9) {
		inZone[s.zone[node]] += n
	}
	for zone, n := range inZone {
		if n != 3 {
			s.Errorf("%d of 9 are in zone %s", n, zone)
		}
	}
}

func beside(s *story) {
	database := s.Pod("database", 1, 0)
	database.Labels = map[string]string{"app": "database"}
	database.Spec.NodeSelector = map[string]string{corev1.LabelHostname: s.node[nodes-1]}
	s.must(s.CreatePod(s.ctx, database))
	s.gang("beside", 3, affine("database"))
	for node := range s.placed("beside", 3) {
		if s.zone[node] != "c" {
			s.Errorf("a member is on %s", node)
		}
	}
}

func ports(s *story) {
	s.gang("ports", 3, func(p *corev1.Pod) {
		p.Spec.Containers[0].Ports = []corev1.ContainerPort{{ContainerPort: 80, HostPort: 80}}
	})
	s.oneEach(s.placed("ports", 3), 3)
}

func tainted(s *story) {
	last := s.node[nodes-1]
	s.patchNode(last, fmt.Sprintf(`{"spec":{"taints":[{"key":%q,"effect":"NoSchedule"}]}}`, taintKey))
	s.gang("bears", 2, func(p *corev1.Pod) {
		p.Spec.NodeSelector = map[string]string{corev1.LabelHostname: last}
		p.Spec.Tolerations = []corev1.Toleration{{Key: taintKey, Operator: corev1.TolerationOpExists}}
	})
	s.gang("others", 8*(nodes-1), func(*corev1.Pod) {})
	if on := s.placed("bears", 2); on[last] != 2 {
		s.Errorf("who bears the taint is on %v", on)
	}
	if on := s.placed("others", 8*(nodes-1)); on[last] != 0 {
		s.Errorf("others are on the tainted node")
	}
	s.patchNode(last, `{"spec":{"taints":null}}`)
}

// One member more than there are nodes keeps apart: it is told so, and a gang that
// comes later runs. With a node less to keep apart from, all would start.
func impossible(s *story) {
	s.gang("impossible", nodes+1, antiAffine("impossible"))
	s.must(s.Await(s.ctx, testcluster.PodGroups, "impossible", "it says why it waits", testcluster.Says("InterPodAffinity", "didn't match pod anti-affinity rules")))
	s.gang("later", 2, func(*corev1.Pod) {})
	s.placed("later", 2)
	if n := testcluster.Count(s.Pods.List(nil), func(p *corev1.Pod) bool { return testcluster.MemberOf(p, "impossible") && testcluster.Bound(p) }); n > 0 {
		s.Errorf("%d of its members are bound", n)
	}
}

func several(s *story) {
	s.gang("several", 6, func(p *corev1.Pod) {
		antiAffine("several")(p)
		evenly("several")(p)
		p.Spec.Containers[0].Ports = []corev1.ContainerPort{{ContainerPort: 80, HostPort: 80}}
		p.Spec.PriorityClassName = "system-node-critical"
	})
	s.oneEach(s.placed("several", 6), 6)
}
