package main

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"muster.sh/muster/benchmarks/audit"
)

func TestADriversExecutorsAreReservedFirst(t *testing.T) {
	moment := func(second int) audit.Moment {
		return audit.Moment{After: at(second).Time, By: at(second).Add(10 * time.Millisecond)}
	}
	driver := &audit.Pod{Namespace: namespace, Name: "a-driver", UID: "1", Labels: map[string]string{roleLabel: "driver"}, Bound: moment(5)}
	gang := audit.Gang{Namespace: namespace, Name: "a", Min: 4, Members: []*audit.Pod{driver}}
	reserved := func(stored int, owner types.UID, slots ...audit.Slot) audit.Reservation {
		return audit.Reservation{Stored: moment(stored), Slots: slots, Claims: func(p *audit.Pod) (string, bool) { return "driver", p.UID == owner }}
	}
	ofDriver := audit.Slot{Role: "driver", Node: "node-1", Count: 1}
	three := []audit.Slot{ofDriver, {Role: "executor", Node: "node-1", Count: 1}, {Role: "executor", Node: "node-2", Count: 2}}
	for _, c := range []struct {
		name         string
		reservations []audit.Reservation
		ok           bool
	}{
		{"for all, before the driver was bound", []audit.Reservation{reserved(4, "1", three...)}, true},
		{"for all, and later for fewer, as executors came", []audit.Reservation{reserved(4, "1", three...), reserved(9, "1", ofDriver)}, true},
		{"for nobody", nil, false},
		{"for all, but only after the driver was bound", []audit.Reservation{reserved(6, "1", three...)}, false},
		{"for two of three", []audit.Reservation{reserved(4, "1", ofDriver, three[2])}, false},
		{"for another application", []audit.Reservation{reserved(4, "2", three...)}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := unpromised([]audit.Gang{gang}, c.reservations)
			if (err == nil) != c.ok {
				t.Errorf("error is %v, want one: %v", err, !c.ok)
			}
			if err != nil && !strings.Contains(err.Error(), "spark/a-driver") {
				t.Errorf("error %v does not name the driver", err)
			}
		})
	}
	t.Run("a driver that was never bound needs nothing", func(t *testing.T) {
		unbound := *driver
		unbound.Bound = audit.Moment{}
		if err := unpromised([]audit.Gang{{Min: 4, Members: []*audit.Pod{&unbound}}}, nil); err != nil {
			t.Error(err)
		}
	})
}

func TestWithoutAnAuditLogNothingIsAcquitted(t *testing.T) {
	dir := t.TempDir()
	if err := judge(filepath.Join(dir, "absent"), filepath.Join(dir, "report"), nil, true); err == nil {
		t.Error("no error")
	}
}
