// Package run is the process of muster-scheduler: kube-scheduler with the hold
// in front of its queue and the plugin in its profiles, the loop that decides,
// the sources that feed it and the effects that carry its decisions out.
package run
