//go:build race

package kubeletoracle

// The race detector makes a stream four times as dear, and nothing in one is
// concurrent.
const defaultStreams = "2500"
