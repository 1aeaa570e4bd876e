package audit_test

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"

	"muster.sh/muster/api/v1alpha1"
	"muster.sh/muster/benchmarks/audit"
)

// held is a reservation of one CPU for each of count executors of "app" on n.
func held(count int, stored float64) audit.Reservation {
	return audit.Reservation{
		Namespace: "ns", Name: "r", Stored: audit.Moment{After: second(stored), By: second(stored + .004)},
		Slots: []audit.Slot{{Role: "executor", Node: "n", Count: count, Requests: resources("cpu=1")}},
		Claims: func(p *audit.Pod) (string, bool) {
			return p.Labels["spark-role"], p.Labels["spark-app-selector"] == "app"
		},
	}
}

func TestStolenRoom(t *testing.T) {
	cases := []struct {
		name        string
		history     func(b *logBuilder)
		reservation func(r *audit.Reservation)
		want        []found
	}{
		{
			name: "a pod that fits beside the reserved room steals nothing",
			history: func(b *logBuilder) {
				b.node("n", "cpu=3,pods=9").create("a").at(2).bind("a", "n")
			},
		},
		{
			name: "a pod bound on reserved room is a thief",
			history: func(b *logBuilder) {
				b.node("n", "cpu=2,pods=9").create("a").at(2).bind("a", "n")
			},
			want: []found{{audit.Stolen, "ns/a", 2, 2, "1 of cpu: 1 are bound and 2 still reserved for others (ns/r) of 2 allocatable"}},
		},
		{
			name: "members that claim their slots steal nothing",
			history: func(b *logBuilder) {
				b.node("n", "cpu=2,pods=9").create("e1", executor("app")).create("e2", executor("app")).
					at(2).bind("e1", "n").at(3).bind("e2", "n")
			},
		},
		{
			name: "room that was claimed is not held any more",
			history: func(b *logBuilder) {
				b.node("n", "cpu=3,pods=9").create("e1", executor("app")).create("e2", executor("app")).create("a").
					at(2).bind("e1", "n").bind("e2", "n").at(4).bind("a", "n")
			},
		},
		{
			name: "a member that comes to its slot after a theft is not the thief",
			history: func(b *logBuilder) {
				b.node("n", "cpu=2,pods=9").create("a").create("e1", executor("app")).at(2).bind("a", "n").at(3).bind("e1", "n")
			},
			want: []found{{audit.Stolen, "ns/a", 2, 2, "reserved"}},
		},
		{
			name: "a lost member's room waits for its replacement",
			history: func(b *logBuilder) {
				b.node("n", "cpu=2,pods=9").create("e1", executor("app")).create("e2", executor("app")).create("a").
					at(2).bind("e1", "n").bind("e2", "n").at(3).phase("e2", corev1.PodFailed).at(4).bind("a", "n")
			},
			want: []found{{audit.Stolen, "ns/a", 4, 4, "2 are bound and 1 still reserved"}},
		},
		{
			name: "a member larger than its slot has no claim",
			history: func(b *logBuilder) {
				b.node("n", "cpu=2,pods=9").create("e1", executor("app"), requests("cpu=2")).at(2).bind("e1", "n")
			},
			want: []found{{audit.Stolen, "ns/e1", 2, 2, "2 are bound and 2 still reserved"}},
		},
		{
			name: "a member of another role has no claim",
			history: func(b *logBuilder) {
				b.node("n", "cpu=2,pods=9").create("d", driver("app")).at(2).bind("d", "n")
			},
			want: []found{{audit.Stolen, "ns/d", 2, 2, "reserved"}},
		},
		{
			name: "more members than slots have no claim",
			history: func(b *logBuilder) {
				b.node("n", "cpu=2,pods=9").create("e1", executor("app")).create("e2", executor("app")).create("e3", executor("app")).
					at(2).bind("e1", "n").at(3).bind("e2", "n").at(4).bind("e3", "n")
			},
		},
		{
			name: "a reservation stored while the bind was in flight is not held against it",
			history: func(b *logBuilder) {
				b.node("n", "cpu=2,pods=9").create("a").at(1.001).bind("a", "n")
			},
		},
		{
			name: "a released reservation holds nothing",
			history: func(b *logBuilder) {
				b.node("n", "cpu=2,pods=9").create("a").at(9).bind("a", "n")
			},
			reservation: func(r *audit.Reservation) { r.Released = audit.Moment{After: second(8), By: second(8.004)} },
		},
		{
			name: "another node's room is not touched",
			history: func(b *logBuilder) {
				b.node("n", "cpu=2,pods=9").node("m", "cpu=2,pods=9").create("a").at(2).bind("a", "m")
			},
		},
		{
			name: "a pod that asks for nothing that is reserved steals nothing",
			history: func(b *logBuilder) {
				b.node("n", "cpu=2,memory=1Gi,pods=9").create("a", requests("memory=1Gi")).at(2).bind("a", "n")
			},
		},
		{
			name: "places for pods are room too",
			history: func(b *logBuilder) {
				b.node("n", "cpu=9,pods=2").create("a", requests("memory=0")).at(2).bind("a", "n")
			},
			want: []found{{audit.Stolen, "ns/a", 2, 2, "pods: 1 are bound and 2 still reserved"}},
		},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			b := newLog(t)
			c.history(b)
			b.at(20).create("end")
			reservation := held(2, 1)
			if c.reservation != nil {
				c.reservation(&reservation)
			}
			checkFound(t, audit.StolenRoom(b.timeline(), []audit.Reservation{reservation}), c.want)
		})
	}
}

func TestReservationsOfTheLog(t *testing.T) {
	spec := func(b *logBuilder, executors int) v1alpha1.ReservationSpec {
		return v1alpha1.ReservationSpec{
			Gang:  "spark/ns/app",
			Owner: v1alpha1.ReservationOwner{Kind: "Pod", Name: "d", UID: b.pod("d").UID},
			Slots: []v1alpha1.ReservedSlots{{Role: "executor", Node: "n", Count: int32(executors)}},
		}
	}
	start := func(t *testing.T) *logBuilder {
		b := newLog(t).node("n", "cpu=4,pods=9").create("d", driver("app"))
		return b.at(1).object("create", "muster.sh", "Reservation", "r", spec(b, 3)).at(2).bind("d", "n")
	}

	t.Run("a pod bound before the executors came is found to have taken their room", func(t *testing.T) {
		tl := start(t).at(3).create("thief").at(4).bind("thief", "n").at(9).create("e1", executor("app")).timeline()
		reservations, err := audit.Reservations(tl, nil)
		if err != nil {
			t.Fatal(err)
		}
		checkFound(t, audit.StolenRoom(tl, reservations), []found{{audit.Stolen, "ns/thief", 4, 4, "2 are bound and 3 still reserved for others (ns/r)"}})
	})
	t.Run("room given back is nobody's", func(t *testing.T) {
		b := start(t)
		tl := b.at(3).object("update", "muster.sh", "Reservation", "r", spec(b, 2)).
			at(4).create("other").bind("other", "n").at(9).create("e1", executor("app")).timeline()
		reservations, err := audit.Reservations(tl, nil)
		if err != nil {
			t.Fatal(err)
		}
		if len(reservations) != 2 || reservations[0].Released != reservations[1].Stored {
			t.Errorf("an update must end the former reservation: %+v", reservations)
		}
		checkFound(t, audit.StolenRoom(tl, reservations), nil)
	})
	t.Run("before its driver is bound a reservation is only a plan", func(t *testing.T) {
		b := newLog(t).node("n", "cpu=4,pods=9").create("d", driver("app")).create("other")
		tl := b.at(1).object("create", "muster.sh", "Reservation", "r", spec(b, 3)).at(2).bind("other", "n").
			at(3).object("update", "muster.sh", "Reservation", "r", spec(b, 2)).at(4).bind("d", "n").
			at(5).create("e1", executor("app")).timeline()
		reservations, err := audit.Reservations(tl, nil)
		if err != nil {
			t.Fatal(err)
		}
		checkFound(t, audit.StolenRoom(tl, reservations), nil)
	})
	t.Run("when its driver has ended a reservation holds nothing", func(t *testing.T) {
		tl := start(t).at(3).create("e1", executor("app")).at(4).phase("d", corev1.PodFailed).
			at(5).create("other", requests("cpu=3")).bind("other", "n").timeline()
		reservations, err := audit.Reservations(tl, nil)
		if err != nil {
			t.Fatal(err)
		}
		checkFound(t, audit.StolenRoom(tl, reservations), nil)
	})
	t.Run("the reservation of a gang that goes holds nothing, whoever owns it", func(t *testing.T) {
		b := start(t)
		goes := v1alpha1.ReservationSpec{Gang: "job/ns/j/u", Owner: v1alpha1.ReservationOwner{Kind: "Job", Name: "j"}, Leaving: true}
		leaves := spec(b, 0)
		leaves.Slots, leaves.Leaving = nil, true
		tl := b.at(3).object("update", "muster.sh", "Reservation", "r", leaves).object("create", "muster.sh", "Reservation", "job", goes).
			at(4).create("other", requests("cpu=3")).bind("other", "n").at(9).create("e1", executor("app")).timeline()
		reservations, err := audit.Reservations(tl, nil)
		if err != nil || len(reservations) != 1 {
			t.Fatalf("%v, %v", reservations, err)
		}
		checkFound(t, audit.StolenRoom(tl, reservations), nil)
	})
	t.Run("a deleted reservation holds nothing", func(t *testing.T) {
		b := start(t)
		tl := b.at(3).object("delete", "muster.sh", "Reservation", "r", nil).
			at(4).create("other").bind("other", "n").at(9).create("e1", executor("app")).timeline()
		reservations, err := audit.Reservations(tl, nil)
		if err != nil {
			t.Fatal(err)
		}
		checkFound(t, audit.StolenRoom(tl, reservations), nil)
	})
	t.Run("a reservation whose deletion was not recorded holds nothing once that is known", func(t *testing.T) {
		b := start(t)
		b.at(4).create("other").bind("other", "n").at(9).create("e1", executor("app"))
		log := b.read()
		if err := log.Reconcile(second(10), nil, nil); err != nil {
			t.Fatal(err)
		}
		tl := log.Timeline()
		reservations, err := audit.Reservations(tl, nil)
		if err != nil {
			t.Fatal(err)
		}
		checkFound(t, audit.StolenRoom(tl, reservations), nil)
	})
	t.Run("a role of unknown size is an error unless its shape is given", func(t *testing.T) {
		tl := start(t).timeline()
		if _, err := audit.Reservations(tl, nil); err == nil || !strings.Contains(err.Error(), `"executor"`) {
			t.Errorf("error: %v", err)
		}
		shape := func(v1alpha1.ReservationSpec, string) corev1.ResourceList { return resources("cpu=1") }
		reservations, err := audit.Reservations(tl, shape)
		if err != nil || len(reservations) != 1 {
			t.Errorf("%v, %v", reservations, err)
		}
	})
}
