// Package audit judges a scheduler from outside. It reads what the API server
// recorded (its audit log, or a stream of watch events) and never asks the
// scheduler what it did.
//
// A [Log] folds the records into the lives of pods, nodes and a few kinds of
// objects; a [Timeline] is the finished fold, and the auditors are functions
// over it:
//
//   - [StrandedGangs]: gangs that hold room while they are below their minimum;
//   - [OverCommit]: nodes with more bound to them than they can carry;
//   - [StolenRoom]: pods bound on room that a reservation held for another;
//   - [Writes]: what everything cost in API writes;
//   - [Times]: when each gang was created, bound and running.
//
// [Judge] runs them all and [Verdict.Render] prints the outcome.
//
// # When something happened
//
// An API request takes effect at an unknown instant between its receipt and its
// completion, and the log has both times. Every fact therefore carries a
// [Moment], and the auditors count only what is certain: a pod holds room from
// the completion of its bind to the receipt of the request that ended it. A
// finding is never an artefact of two requests in flight at the same time; a
// fault shorter than the requests around it can be missed.
//
// # What the log must hold
//
// Pods (with status, binding, eviction), nodes (with status), podgroups and
// reservations at level RequestResponse, stage ResponseComplete; all else at
// Metadata, for the count of writes. What is absent is listed in
// [Timeline.Gaps], and a verdict with gaps is no acquittal.
//
// Not followed: in-place resize of a running pod, and room per NUMA zone.
package audit
