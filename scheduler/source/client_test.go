package source

import (
	"fmt"
	"testing"
	"time"

	v1 "k8s.io/api/core/v1"
	"pgregory.net/rapid"

	"muster.sh/muster/api/v1alpha1"
	"muster.sh/muster/internal/sparkconf"
	"muster.sh/muster/scheduler/core"
	"muster.sh/muster/scheduler/gang"
)

const clientGang = gang.ID("spark-client/team/app")

func clientExecutor(i int, options ...podOption) *v1.Pod {
	return newPod(fmt.Sprintf("e%d", i), append([]podOption{executorOf("app")}, options...)...)
}

func TestClientModeGangIsTheExecutorsThatComeTogether(t *testing.T) {
	s := newStory(t)
	s.expect("synced")
	s.setPod(clientExecutor(1, label(v1alpha1.QueueLabel, "lab")))
	s.expect("e1 is executor of spark-client/team/app", "wake spark-client/team/app at 2s")
	s.after(time.Second).setPod(clientExecutor(2))
	s.expect("e2 is executor of spark-client/team/app", "wake spark-client/team/app at 3s")
	s.after(time.Second).woken(clientGang)
	s.expect("wake spark-client/team/app at 3s")
	s.after(time.Second).woken(clientGang)
	s.expect("gang spark-client/team/app; executor 2..-1 shrinks; queue lab")
	s.after(time.Second).setPod(clientExecutor(3))
	s.expect("e3 is executor of spark-client/team/app")
}

func TestClientModeGangThatKeepsGrowingIsCutInTheEnd(t *testing.T) {
	s := newStory(t)
	s.take()
	for i := range 16 {
		s.setPod(clientExecutor(i))
		s.after(2 * time.Second)
	}
	events, _ := s.take()
	if got, want := describe(events[len(events)-2]), "gang spark-client/team/app; executor 16..-1 shrinks"; got != want {
		t.Fatalf("%s, want %s", got, want)
	}
}

func TestClientModeMinimumIsTakenFromAnAnnotation(t *testing.T) {
	s := newStory(t)
	s.take()
	s.setPod(clientExecutor(1, annotation(v1alpha1.MinExecutorsAnnotation, "3")))
	s.expect("gang spark-client/team/app; executor 3..-1 shrinks", "e1 is executor of spark-client/team/app")
}

func TestClientModeMinimumThatIsNoNumberRefusesTheGang(t *testing.T) {
	for _, text := range []string{"", "three", "0", "-1", "1.5", "100001", "99999999999999999999", "3 "} {
		s := newStory(t)
		s.take()
		s.setPod(clientExecutor(1, annotation(v1alpha1.MinExecutorsAnnotation, text)))
		events, _ := s.take()
		refused, ok := events[0].(core.GangRefused)
		if !ok || refused.Verdict.Detail != fmt.Sprintf("the annotation muster.sh/min-executors=%q of an executor is not a number of executors; "+
			"set it to a whole number from 1 to 100000, or leave it out", text) {
			t.Errorf("%q: told %v", text, events)
		}
	}
}

func TestBothModesReadTheSameAnnotation(t *testing.T) {
	if v1alpha1.MinExecutorsAnnotation != sparkconf.AnnotationMinExecutors {
		t.Fatalf("%s and %s", v1alpha1.MinExecutorsAnnotation, sparkconf.AnnotationMinExecutors)
	}
}

func TestClientModeGangEndsWithItsLastExecutor(t *testing.T) {
	s := newStory(t)
	s.setPod(clientExecutor(1, annotation(v1alpha1.MinExecutorsAnnotation, "1")))
	s.take()
	s.removePod(clientExecutor(1))
	s.expect("e1 Deleted", "gone spark-client/team/app")
	s.woken(clientGang)
	s.expect()
}

func TestRestartFindsTheSameClientModeMinimum(t *testing.T) {
	s := newStory(t,
		clientExecutor(1, created(0), on("n1")), clientExecutor(2, created(2*time.Second), on("n1")),
		clientExecutor(3, created(5*time.Second)), // within the rounding of creation times
		clientExecutor(4, created(time.Minute)),
	)
	events, errands := s.take()
	if len(errands) != 0 {
		t.Fatalf("asked %v", errands)
	}
	if got, want := describe(events[len(events)-2]), "gang spark-client/team/app; executor 3..-1 shrinks"; got != want {
		t.Fatalf("%s, want %s", got, want)
	}
}

func TestClientModeOwnerIsTheDriverPodWhereThereIsOne(t *testing.T) {
	s := newStory(t, newPod("notebook", on("n1")))
	s.take()
	s.setPod(clientExecutor(1, ownedBy("Pod", "notebook", "uid-notebook"), annotation(v1alpha1.MinExecutorsAnnotation, "1")))
	events, _ := s.take()
	if g := events[0].(core.GangSet).Gang; g.Owner.Name != "notebook" || g.ID != "spark-client/team/app/uid-notebook" {
		t.Fatalf("gang %s is owned by %+v", g.ID, g.Owner)
	}
}

func TestWaveIsNeverEmptyAndEndsInBoundedTime(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := newCollector(settings{settle: 2 * time.Second, settleMax: 30 * time.Second})
		cl := &client{arrivals: map[gang.PodID]time.Time{}, rounded: rapid.Bool().Draw(t, "rounded")}
		first := epoch.Add(time.Hour * 1000)
		for i, at := range rapid.SliceOfN(rapid.IntRange(0, 100), 1, 40).Draw(t, "arrivals") {
			when := epoch.Add(time.Duration(at) * time.Second)
			cl.arrivals[gang.PodID(fmt.Sprint(i))] = when
			if when.Before(first) {
				first = when
			}
		}
		count, until := c.wave(cl)
		if count < 1 || count > len(cl.arrivals) {
			t.Fatalf("%d of %d executors", count, len(cl.arrivals))
		}
		if until.Before(first) || until.After(first.Add(30*time.Second)) {
			t.Fatalf("the wave lasts until %s after its first executor", until.Sub(first))
		}
	})
}
