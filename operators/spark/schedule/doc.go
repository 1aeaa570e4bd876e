// Package schedule decides when a ScheduledSparkApplication runs: which run is due, what
// becomes of those before it, and what the status says. A run is a SparkApplication.
//
// The time of the next run is stored before it comes, and the name of a run is made of
// its time. So a run that was begun is found again however often the operator is
// started, and none is lost or made twice.
//
// The package is pure: time is passed in, and what is to be done is handed out.
package schedule
