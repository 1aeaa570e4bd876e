package source

import (
	"errors"
	"strings"
	"testing"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"muster.sh/muster/api/v1alpha1"
)

func (s *story) settings(driver string, executors int) {
	s.confRead(types.UID("uid-"+driver), conf{properties: properties(executors)})
}

const executorShape = "cpu=1 memory=896Mi pods=1"

func TestDriverDeclaresItsGangOnceItsSettingsAreRead(t *testing.T) {
	s := newStory(t)
	s.expect("synced")
	s.setPod(newPod("d", driverOf("app"), label(v1alpha1.QueueLabel, "etl")))
	s.expect("d is driver of spark/team/app", "read d-conf within 30s")
	s.settings("d", 3)
	s.expect("gang spark/team/app; driver 1..1; executor 3..3 expected " + executorShape + "; queue etl")
	s.setPod(newPod("d", driverOf("app"), label(v1alpha1.QueueLabel, "etl"), on("n1")))
	s.expect("d on n1 is driver of spark/team/app")
	s.setPod(newPod("e1", executorOf("app"), ownedBy("Pod", "d", "uid-d")))
	s.expect("e1 is executor of spark/team/app")
	s.setPod(newPod("e1", executorOf("app"), ownedBy("Pod", "d", "uid-d"), on("n2")))
	s.expect("e1 on n2 is executor of spark/team/app")
	s.setPod(newPod("d", driverOf("app"), on("n1"), phaseOf(v1.PodSucceeded)))
	s.expect("d Succeeded", "gone spark/team/app", "stop reading")
	s.removePod(newPod("d", driverOf("app"), on("n1"), phaseOf(v1.PodSucceeded)))
	s.expect()
}

func TestSettingsThatNeverComeRefuseTheGangUntilTheyCome(t *testing.T) {
	s := newStory(t)
	s.setPod(newPod("d", driverOf("app")))
	s.take()
	s.confMissing("uid-d", errors.New(`configmaps "d-conf" not found`))
	s.expect(`refused spark/team/app: the settings of the application, which the driver pod's volume names, can't be read: configmaps "d-conf" not found; ` +
		"if spark-submit was stopped before it had made them, delete this pod and submit again")
	s.settings("d", 1)
	s.expect("gang spark/team/app; driver 1..1; executor 1..1 expected " + executorShape)
}

func TestBadSettingRefusesTheGangByKey(t *testing.T) {
	s := newStory(t)
	s.setPod(newPod("d", driverOf("app")))
	s.take()
	s.confRead("uid-d", conf{properties: "spark.executor.memory=1.5g\n"})
	events, _ := s.take()
	if len(events) != 1 || !strings.Contains(describe(events[0]), `refused spark/team/app: spark.executor.memory="1.5g"`) {
		t.Fatalf("told %v", events)
	}
}

func TestDriverWithoutASettingsVolumeIsRefused(t *testing.T) {
	s := newStory(t)
	s.setPod(newPod("d", driverOf("app"), func(p *v1.Pod) { p.Spec.Volumes = nil }))
	events, errands := s.take()
	if len(errands) != 0 || len(events) != 3 || !strings.Contains(describe(events[1]), "refused spark/team/app: the driver pod has no volume") {
		t.Fatalf("told %v, asked %v", events, errands)
	}
}

func TestSettingsOfADriverThatHasEndedAreIgnored(t *testing.T) {
	s := newStory(t)
	s.setPod(newPod("d", driverOf("app")))
	s.removePod(newPod("d", driverOf("app")))
	s.take()
	s.settings("d", 2)
	s.confMissing("uid-d", errors.New("gone"))
	s.expect()
}

func TestExecutorsOfAnotherSchedulerAreNotExpected(t *testing.T) {
	s := newStory(t)
	s.setPod(newPod("d", driverOf("app")))
	s.take()
	s.confRead("uid-d", conf{properties: "spark.kubernetes.driver.scheduler.name=muster\n"})
	s.expect("gang spark/team/app; driver 1..1")
}

func TestDynamicAllocationShrinks(t *testing.T) {
	s := newStory(t)
	s.setPod(newPod("d", driverOf("app")))
	s.take()
	s.confRead("uid-d", conf{properties: "spark.dynamicAllocation.enabled=true\nspark.executor.memory=512m\nspark.kubernetes.scheduler.name=muster\n"})
	s.expect("gang spark/team/app; driver 1..1; executor 1..-1 expected " + executorShape + " shrinks")
}

func TestCopiedApplicationLabelMakesNoSecondDriver(t *testing.T) {
	s := newStory(t)
	s.setPod(newPod("d", driverOf("app")))
	s.settings("d", 1)
	s.take()
	s.setPod(newPod("thief", driverOf("app")))
	s.expect("refused spark/team/app/thief: the label spark-app-selector=app is the application of driver pod d already; submit the application anew",
		"thief is driver of spark/team/app/thief")
	s.removePod(newPod("thief", driverOf("app")))
	s.expect("thief Deleted", "gone spark/team/app/thief", "stop reading")
	s.setPod(newPod("other", driverOf("app"), in("elsewhere")))
	s.expect("other is driver of spark/elsewhere/app", "read other-conf within 30s")
}

func TestExecutorsBelongToTheDriverThatOwnsThem(t *testing.T) {
	for name, c := range map[string]struct {
		options []podOption
		want    []string
	}{
		"owned by the driver": {
			[]podOption{ownedBy("Pod", "d", "uid-d")}, []string{"e is executor of spark/team/app"},
		},
		"owned by a StatefulSet of the application": {
			[]podOption{ownedBy("StatefulSet", "spark-s-app-0", "uid-s")}, []string{"e is executor of spark/team/app"},
		},
		"owned by a ReplicaSet of the application": {
			[]podOption{ownedBy("ReplicaSet", "spark-d-app-0-abc", "uid-r")}, []string{"e is executor of spark/team/app"},
		},
		"owned by a StatefulSet of another application": {
			[]podOption{ownedBy("StatefulSet", "spark-s-apple-0", "uid-s")},
			[]string{"e is executor of spark-client/team/app/uid-s", "wake spark-client/team/app/uid-s at 2s"},
		},
		"without an owner": {
			nil, []string{"e is executor of spark-client/team/app", "wake spark-client/team/app at 2s"},
		},
		"owned by another pod that runs": {
			[]podOption{ownedBy("Pod", "notebook", "uid-notebook")},
			[]string{"e is executor of spark-client/team/app/uid-notebook", "wake spark-client/team/app/uid-notebook at 2s"},
		},
		"owned by a pod that nobody has seen": {
			[]podOption{ownedBy("Pod", "d", "uid-long-ago")}, nil,
		},
		"owned by the driver, from another namespace": {
			[]podOption{ownedBy("Pod", "d", "uid-d"), in("elsewhere")}, nil,
		},
		"not controlled by the driver that it names": {
			[]podOption{ownedBy("Pod", "d", "uid-d"), func(p *v1.Pod) { p.OwnerReferences[0].Controller = nil }},
			[]string{"e is executor of spark-client/team/app", "wake spark-client/team/app at 2s"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStory(t, newPod("notebook", on("n1"), scheduledBy("default-scheduler")))
			s.setPod(newPod("d", driverOf("app")))
			s.settings("d", 1)
			s.take()
			s.setPod(newPod("e", append([]podOption{executorOf("app")}, c.options...)...))
			s.expect(c.want...)
		})
	}
}

func TestExecutorSeenBeforeItsOwnerWaitsForIt(t *testing.T) {
	s := newStory(t)
	s.expect("synced")
	for _, name := range []string{"e1", "e2"} {
		s.setPod(newPod(name, executorOf("app"), ownedBy("Pod", "d", "uid-d")))
	}
	s.removePod(newPod("e2", executorOf("app"), ownedBy("Pod", "d", "uid-d")))
	s.expect()
	s.setPod(newPod("d", driverOf("app")))
	s.expect("d is driver of spark/team/app", "e1 is executor of spark/team/app", "read d-conf within 30s")
	if len(s.orphans) != 0 {
		t.Fatalf("orphans left: %v", s.orphans)
	}
}

func TestEveryPodOfARecordedRunIsUnderstood(t *testing.T) {
	for run, want := range map[string]string{
		"spark-4.0.1":        "driver 1..1; executor 3..3 expected cpu=250m memory=896Mi pods=1",
		"spark-4.3.0":        "driver 1..1; executor 3..3 expected cpu=250m memory=896Mi pods=1",
		"dynamic-allocation": "driver 1..1; executor 1..4 expected cpu=500m memory=896Mi pods=1 shrinks",
	} {
		t.Run(run, func(t *testing.T) {
			driver, executor := recorded[v1.Pod](t, run, "driver-pod.json"), recorded[v1.Pod](t, run, "executor-pod.json")
			cm := recorded[v1.ConfigMap](t, run, "driver-configmap.json")
			driver.Spec.SchedulerName, executor.Spec.SchedulerName = testScheduler, testScheduler
			s := newStory(t)
			s.setPod(driver)
			s.setPod(executor)
			_, errands := s.take()
			read := errands[0].(readConf)
			if read.properties.ConfigMap != cm.Name {
				t.Fatalf("asked for %s, the run had %s", read.properties.ConfigMap, cm.Name)
			}
			s.confRead(driver.UID, conf{properties: cm.Data[read.properties.Key] + "spark.kubernetes.scheduler.name=muster\n"})
			app := "spark/" + driver.Namespace + "/" + driver.Labels["spark-app-selector"]
			s.expect("gang " + app + "; " + want)
			told := s.pods[executor.UID]
			if string(told.gang) != app {
				t.Fatalf("the executor is of %s", told.gang)
			}
			if got := told.told.Pod.Request.String(); !strings.Contains(want, got) {
				t.Fatalf("the executor asks for %s, which was not expected: %s", got, want)
			}
		})
	}
}
