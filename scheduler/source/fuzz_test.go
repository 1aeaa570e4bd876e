package source

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	volcano "volcano.sh/apis/pkg/apis/scheduling/v1beta1"

	"muster.sh/muster/scheduler/core"
)

// FuzzCollector feeds whatever a tenant can write: the labels, annotations,
// owners and settings of pods. Nothing may panic, no event may speak for
// another namespace, and every member's request must be one that can be counted.
func FuzzCollector(f *testing.F) {
	f.Add("app", "driver", "", "", "", "", "spark.executor.instances=3\nspark.kubernetes.scheduler.name=muster\n", "", 3)
	f.Add("app", "executor", "Pod", "uid-other", "3", "", "", "", 0)
	f.Add("app", "executor", "StatefulSet", "spark-s-app-0", "-1", "", "", "", 0)
	f.Add("", "", "", "", "", "a/b/../c", "", "", -5)
	f.Add("app/x", "driver", "", "", "1e9", "", "spark.executor.memory=9999999999999g", "kind: Pod\nspec: {containers: [{}]}", 1<<30)
	f.Fuzz(func(t *testing.T, app, role, ownerKind, ownerUID, minimum, group, settingsText, template string, minMember int) {
		c := newCollector(settings{schedulerName: testScheduler, settle: time.Second, settleMax: time.Minute})
		c.now = epoch
		c.replayed(nil)
		p := newPod("p", driverOf(app), label("spark-role", role), annotation("muster.sh/min-executors", minimum), inGroup(group))
		if ownerKind != "" {
			ownedBy(ownerKind, ownerUID, ownerUID)(p)
		}
		other := newPod("other", executorOf(app), ownedBy("Pod", "p", "uid-p"))
		elsewhere := newPod("elsewhere", driverOf(app), in("elsewhere"))
		// What is in labels and annotations of one way of declaring a gang is tried in the others.
		worker := newPod("worker", gangMembers(minimum), label(jobSetName, group), label(leaderWorkerSetName, app), label(leaderWorkerSetGroup, role))
		if ownerKind != "" {
			ownedBy(ownerKind, ownerUID, ownerUID)(worker)
		}
		pods := []*v1.Pod{
			p, other, elsewhere, worker, newPod("native", inSchedulingGroup(group)), newPod("labelled", label(coschedulingLabel, group)),
		}
		for _, pod := range pods {
			c.setPod(pod)
		}
		c.setGroup(volcanoGroups.declaration(object(t, newPodGroup(group, volcano.PodGroupSpec{
			MinMember: int32(minMember), MinTaskMember: map[string]int32{minimum: int32(minMember)},
		}), volcano.SchemeGroupVersion.WithKind("PodGroup"))))
		for _, driver := range []types.UID{"uid-p", "uid-elsewhere"} {
			if pod := c.pods[driver]; pod != nil && c.apps[pod.gang] != nil {
				c.confRead(driver, conf{properties: settingsText, template: template})
				c.confMissing(driver, errors.New("x"))
			}
		}
		events, _ := c.take()
		for _, e := range events {
			checkEvent(t, e)
		}
		for _, pod := range pods {
			c.removePod(pod)
		}
		if left := len(c.pods) + len(c.apps) + len(c.clients) + len(c.orphans); left != 0 {
			t.Fatalf("%d things are kept of pods that are gone", left)
		}
	})
}

func checkEvent(t *testing.T, e core.Event) {
	t.Helper()
	if _, err := json.Marshal(e); err != nil {
		t.Fatalf("%T can't be recorded: %v", e, err)
	}
	switch e := e.(type) {
	case core.PodSet:
		if m := e.Member; m != nil && !ofNamespace(m.Gang, m.Namespace) {
			t.Fatalf("a pod of %s joined %s", m.Namespace, m.Gang)
		}
	case core.GangSet:
		if !ofNamespace(e.Gang.ID, e.Gang.Owner.Namespace) {
			t.Fatalf("%s is owned from %s", e.Gang.ID, e.Gang.Owner.Namespace)
		}
		for _, r := range e.Gang.Roles {
			if r.Min < 0 || r.Min > 100_000 && r.Expected || r.Shape.Request.MilliCPU < 0 || r.Shape.Request.Memory < 0 {
				t.Fatalf("absurd role %+v", r)
			}
		}
	case core.GangRefused:
		if strings.TrimSpace(e.Verdict.Detail) == "" {
			t.Fatal("refused without a reason")
		}
	}
}
