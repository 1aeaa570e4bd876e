package run

import (
	"testing"
	"time"
)

func TestASteadyTimeIsAsAJournalHasIt(t *testing.T) {
	now := steadyClock()
	before := time.Now()
	at := now()
	if at.Before(before.Add(-time.Second)) {
		t.Errorf("it is %s, and then %s", before, at)
	}
	read, err := time.Parse(time.RFC3339Nano, at.Format(time.RFC3339Nano))
	if err != nil || read != at { // and not merely the same moment
		t.Errorf("%#v is read as %#v: %v", at, read, err)
	}
}
