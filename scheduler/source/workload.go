package source

import (
	"fmt"
	"strconv"

	v1 "k8s.io/api/core/v1"

	"muster.sh/muster/api/v1alpha1"
	"muster.sh/muster/scheduler/gang"
)

// maxGangMembers bounds what a pod can ask for by annotation.
const maxGangMembers = 100_000

// workload is an object of which a pod is a part, and the part's role in it.
type workload struct {
	claim
	owner gang.Object
}

// workloads find the workload of a pod, the largest one first: the pods of a JobSet
// are those of Jobs as well.
var workloads = [...]func(*v1.Pod) (workload, bool){jobSet, leaderWorkerSet, controlled}

// workloadOf finds the workload of a pod. One that is part of nothing stands alone.
func workloadOf(p *v1.Pod) workload {
	for _, find := range workloads {
		if w, ok := find(p); ok {
			return w
		}
	}
	return workload{claim{KindController, p.Name, RoleDefault}, owner(p)}
}

// workloadClaim reads the annotation that makes a pod's workload a gang.
func workloadClaim(p *v1.Pod) (claim, bool) {
	if _, ok := p.Annotations[v1alpha1.GangMembersAnnotation]; !ok {
		return claim{}, false
	}
	return workloadOf(p).claim, true
}

// declaredByMembers says whether gangs of a kind are declared by their own pods.
func declaredByMembers(kind string) bool {
	switch kind {
	case KindJob, KindController, KindJobSet, KindLeaderWorkerSet, KindPod:
		return true
	}
	return false
}

// memberDeclaration is what a pod says of its gang.
func memberDeclaration(p *v1.Pod) declaration {
	w := workloadOf(p)
	d := declaration{gang: gang.Gang{
		ID: gang.NewID(w.kind, p.Namespace, w.name), Owner: w.owner,
		Queue: queueNamed(p), Created: p.CreationTimestamp.Time,
	}}
	if _, counts := p.Annotations[v1alpha1.GangMembersAnnotation]; !counts {
		return singleDeclaration(p, d)
	}
	if w.owner.UID == string(p.UID) {
		d.broken = fmt.Errorf("the pod has the annotation %s, but no controller whose pods could be its fellow members; "+
			"let a Job make it, name a PodGroup instead, or leave the annotation out", v1alpha1.GangMembersAnnotation)
		return d
	}
	text := p.Annotations[v1alpha1.GangMembersAnnotation]
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > maxGangMembers {
		d.broken = fmt.Errorf("the annotation %s=%.64q of a pod is not a number of pods; set it to a whole number from 1 to %d in the pod template, or leave it out",
			v1alpha1.GangMembersAnnotation, text, maxGangMembers)
	}
	d.gang.MinMember = n
	if d.broken == nil {
		d.broken = readWishes(p.Annotations, &d.gang)
		readPod(p, &d.gang)
	}
	return d
}

// singleDeclaration is what a pod says that is a gang by itself.
func singleDeclaration(p *v1.Pod, d declaration) declaration {
	d.gang.ID, d.gang.Owner = gang.NewID(KindPod, p.Namespace, p.Name), owner(p)
	d.gang.Alone, d.gang.MinMember = true, 1
	d.broken = readWishes(p.Annotations, &d.gang)
	readPod(p, &d.gang)
	return d
}

// believe takes a member's word for its gang. The youngest is believed, which was
// made by its controller's newest template.
func (g *group) believe(d declaration) {
	if g.declared != nil {
		d.gang.Created = g.declared.gang.Created
	}
	g.declared = &d
}
