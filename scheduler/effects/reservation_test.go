package effects

import (
	"fmt"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"muster.sh/muster/api/v1alpha1"
	"muster.sh/muster/scheduler/core"
	"muster.sh/muster/scheduler/gang"
)

func (b *bench) reservation(name string) (*v1alpha1.Reservation, error) {
	u, err := b.dynamic.Resource(v1alpha1.ReservationResource).Namespace("team").Get(b.t.Context(), name, metav1.GetOptions{})
	if err != nil {
		return nil, err
	}
	r := &v1alpha1.Reservation{}
	return r, runtime.DefaultUnstructuredConverter.FromUnstructured(u.Object, r)
}

func storeSlots(epoch core.Epoch, nodes ...string) core.StoreReservation {
	d := core.StoreReservation{Gang: app, Owner: driver, Epoch: epoch}
	for _, n := range nodes {
		d.Slots = append(d.Slots, core.ReservedSlot{Role: "executor", Node: n})
	}
	return d
}

func TestReservationIsStoredOwnedAndAcknowledged(t *testing.T) {
	b := newBench(t)
	b.Do(storeSlots(7, "n2", "n1", "n2"))
	b.flush(app)
	r, err := b.reservation("spark.app")
	if err != nil {
		t.Fatal(err)
	}
	if len(r.OwnerReferences) != 1 || r.OwnerReferences[0].UID != "uid-d" || r.OwnerReferences[0].BlockOwnerDeletion != nil {
		t.Errorf("owners %+v", r.OwnerReferences)
	}
	if got := fmt.Sprint(r.Spec); got != "{spark/team/app {v1 Pod d uid-d} false [{executor n1 1} {executor n2 2}]}" {
		t.Errorf("spec %s", got)
	}
	if acks := b.acks(); len(acks) != 1 || acks[0] != (core.ReservationStored{Gang: app, Epoch: 7}) {
		t.Errorf("acknowledged %v", acks)
	}
	b.writes("create reservations")
}

func TestThatAGangGoesIsStoredInThePlaceOfWhatItHeld(t *testing.T) {
	b := newBench(t)
	b.Do(storeSlots(7, "n1"))
	b.flush(app)
	b.acks()
	b.Do(core.StoreReservation{Gang: app, Owner: driver, Epoch: 8, Leaving: true})
	b.flush(app)
	if r, err := b.reservation("spark.app"); err != nil || !r.Spec.Leaving || len(r.Spec.Slots) > 0 {
		t.Errorf("stored is %+v, %v", r, err)
	}
	if acks := b.acks(); len(acks) != 1 || acks[0] != (core.ReservationStored{Gang: app, Epoch: 8}) {
		t.Errorf("acknowledged %v", acks)
	}
}

func TestReservationIsBroughtUpToDate(t *testing.T) {
	b := newBench(t)
	b.Do(storeSlots(1, "n1"))
	b.flush(app)
	b.Do(storeSlots(0, "n2"))
	b.flush(app)
	if r, err := b.reservation("spark.app"); err != nil || r.Spec.Slots[0].Node != "n2" {
		t.Fatalf("%v, %v", r, err)
	}
	b.writes("create reservations", "update reservations")
	b.Do(storeSlots(0, "n2"))
	b.flush(app)
	b.writes() // it is as it should be
	if acks := b.acks(); len(acks) != 1 {
		t.Errorf("acknowledged %v", acks)
	}
}

func TestReservationThatWasLostIsMadeAgain(t *testing.T) {
	b := newBench(t)
	b.Do(storeSlots(0, "n1"))
	b.flush(app)
	b.Do(storeSlots(5, "n2")) // it is there, though a new one was expected
	b.flush(app)
	b.writes("create reservations", "create reservations", "update reservations")
	if r, err := b.reservation("spark.app"); err != nil || r.Spec.Slots[0].Node != "n2" {
		t.Fatalf("%v, %v", r, err)
	}
}

func TestReservationIsTriedAgainUntilItIsStored(t *testing.T) {
	for name, prepare := range map[string]func(*bench){
		"when the API server is slow": func(b *bench) { failNext(&b.dynamic.Fake, "create", "reservations", timeout) },
		"when it was changed meanwhile": func(b *bench) {
			b.Do(storeSlots(0, "n9"))
			b.flush(app)
			failNext(&b.dynamic.Fake, "update", "reservations", conflict)
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			prepare(b)
			b.Do(storeSlots(3, "n1"))
			if !b.flush(app) || len(b.acks()) != 0 {
				t.Fatal("a failure was taken for an end")
			}
			if b.flush(app) {
				t.Fatal("it is still to be tried again")
			}
			if acks := b.acks(); len(acks) != 1 || acks[0].Err != "" || acks[0].Epoch != 3 {
				t.Fatalf("acknowledged %v", acks)
			}
			if r, err := b.reservation("spark.app"); err != nil || r.Spec.Slots[0].Node != "n1" {
				t.Fatalf("%v, %v", r, err)
			}
		})
	}
}

func TestReservationThatIsRefusedIsAcknowledgedWithTheReason(t *testing.T) {
	b := newBench(t)
	failNext(&b.dynamic.Fake, "create", "reservations", forbidden)
	b.Do(storeSlots(3, "n1"))
	if b.flush(app) {
		t.Fatal("it is to be tried again")
	}
	if acks := b.acks(); len(acks) != 1 || acks[0].Epoch != 3 || !strings.Contains(acks[0].Err, "no right") {
		t.Fatalf("acknowledged %v", acks)
	}
}

func TestOvertakenReservationIsNotSentButAcknowledged(t *testing.T) {
	b := newBench(t)
	b.Do(storeSlots(1, "n1"))
	b.Do(storeSlots(0, "n2"))
	b.flush(app)
	b.writes("create reservations")
	if acks := b.acks(); len(acks) != 1 || acks[0].Epoch != 1 {
		t.Fatalf("acknowledged %v", acks)
	}
	failNext(&b.dynamic.Fake, "update", "reservations", timeout)
	b.Do(storeSlots(2, "n3"))
	b.flush(app)
	b.Do(storeSlots(0, "n4")) // comes while the first waits to be tried again
	b.flush(app)
	if acks := b.acks(); len(acks) != 1 || acks[0].Epoch != 2 {
		t.Fatalf("acknowledged %v", acks)
	}
	if r, _ := b.reservation("spark.app"); r.Spec.Slots[0].Node != "n4" {
		t.Fatalf("an older state won: %+v", r.Spec)
	}
}

func TestReservationIsDropped(t *testing.T) {
	b := newBench(t)
	b.Do(storeSlots(1, "n1"))
	b.flush(app)
	b.acks()
	b.Do(storeSlots(2, "n1"))
	b.Do(core.DropReservation{Gang: app}) // before the second was sent
	b.flush(app)
	if _, err := b.reservation("spark.app"); !apierrors.IsNotFound(err) {
		t.Fatalf("it is still there: %v", err)
	}
	if acks := b.acks(); len(acks) != 0 {
		t.Fatalf("acknowledged a plan that was given up: %v", acks)
	}
	b.Do(core.DropReservation{Gang: app})
	if b.flush(app) {
		t.Fatal("to drop what is not there failed")
	}
}

func TestReservationNames(t *testing.T) {
	for id, want := range map[gang.ID]string{
		"spark/team/spark-0123abcd":                       "spark.spark-0123abcd",
		"spark/team/App_1":                                "gang-",
		"spark/team/a/b":                                  "gang-",
		gang.ID("spark/team/" + strings.Repeat("a", 300)): "gang-",
	} {
		if got := reservationName(id); !strings.HasPrefix(got, want) || len(got) > 253 {
			t.Errorf("%s: %s, want %s", id, got, want)
		}
	}
	if reservationName("spark/team/A") == reservationName("spark/team/B") {
		t.Error("two gangs share a name")
	}
}
