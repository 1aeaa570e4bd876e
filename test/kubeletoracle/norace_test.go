//go:build !race

package kubeletoracle

const defaultStreams = "10000"
