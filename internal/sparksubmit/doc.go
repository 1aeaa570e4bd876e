// Package sparksubmit runs an unchanged spark-submit as a user without any
// special rights would, with the settings that suit a small cluster of one
// machine.
package sparksubmit
