package sparkdist

import "time"

// Progress is told what [Ensure] does, as it does it. A step whose result was in
// the cache is not mentioned. Calls come one after the other.
type Progress func(Event)

// Event is the state of one step.
type Event struct {
	// Step says what is done, as "download pyspark 4.3.0".
	Step string
	// Done and Total count bytes; Total is 0 where the size of the work is unknown.
	Done, Total int64
	// Ended is true in the last event of a step.
	Ended bool
	// Err is why the step failed; set only in a last event.
	Err error
	// Took is the time since the step began.
	Took time.Duration
}

// step runs work as one step, with its begin and its end reported.
func (p Progress) step(name string, total int64, work func(done func(int64)) error) error {
	begin := time.Now()
	report := func(n int64, ended bool, err error) {
		if p != nil {
			p(Event{Step: name, Done: n, Total: total, Ended: ended, Err: err, Took: time.Since(begin)})
		}
	}
	report(0, false, nil)
	err := work(func(n int64) { report(n, false, nil) })
	report(total, true, err)
	return err
}
