// Package plan works out what a TFJob needs next: what is to be created and
// deleted, and what its status says. It knows no client and no clock, so the same
// observation gives the same plan.
//
// Names, labels, TF_CONFIG, conditions and policies are those of Kubeflow's
// training-operator 1.9, whose types it takes.
package plan
