// Package failingvolume tells that a gang stays whole when the volume of one of
// its members can't be made: that is only found out in PreBind, when every member
// has its place.
package failingvolume

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"muster.sh/muster/test/testcluster"
)

const members = 6

func TestAVolumeThatFailsInPreBindBreaksNoGang(t *testing.T) {
	ctx, c := testcluster.Start(t, testcluster.Spec{Scheduler: testcluster.Muster, Nodes: 4, Shape: "cpu=4,memory=16Gi"})
	provisioner := provisioner{client: c.Client(), failures: 3}
	if err := provisioner.createClaim(ctx); err != nil {
		t.Fatal(err)
	}
	unlucky := testcluster.PodGroup{Name: "unlucky", Members: members, CPUs: 1, Change: mountOnLast}
	beside := testcluster.PodGroup{Name: "beside", Members: members, CPUs: 1, Runs: time.Second}
	if err := c.CreatePodGroups(ctx, unlucky, beside); err != nil {
		t.Fatal(err)
	}
	if err := provisioner.run(ctx); err != nil {
		t.Fatal(err)
	}
	if err := c.Pods.Await(ctx, "the gang with the volume runs and the one beside it has ended", func(pods []*corev1.Pod) bool {
		return testcluster.Count(pods, isUnluckyAndRuns) == members && testcluster.Count(pods, testcluster.Ended) == members
	}); err != nil {
		t.Error(err)
	}
	for _, pod := range c.RequireNoFault(t, 0).Pods {
		if pod.Labels["group"] == unlucky.Name && pod.Bound.Known() && pod.Bound.By.Before(provisioner.succeeded) {
			t.Errorf("pod %s was bound %s before the volume of its gang was made", pod, provisioner.succeeded.Sub(pod.Bound.By))
		}
	}
}

func isUnluckyAndRuns(pod *corev1.Pod) bool {
	return testcluster.MemberOf(pod, "unlucky") && pod.Status.Phase == corev1.PodRunning
}

// mountOnLast gives the last member of the gang the volume.
func mountOnLast(pod *corev1.Pod) {
	pod.Labels = map[string]string{"group": "unlucky"}
	if pod.Name != "unlucky-5" {
		return
	}
	pod.Spec.Volumes = []corev1.Volume{{
		Name:         "data",
		VolumeSource: corev1.VolumeSource{PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: claimName}},
	}}
}
