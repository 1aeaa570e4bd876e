// Package tensorflow runs TFJobs, as Kubeflow's training-operator did: it observes a
// job with its pods and services, plans (package plan), and carries the plan out.
//
// It keeps nothing in mind between two plans, and it may be killed at any step: names
// are the same each time, and what must be remembered is stored in the job before
// what it is about is gone.
package tensorflow

// The definition of TFJob is generated from upstream's types, with the pods of the
// Kubernetes that Muster is built on. With descriptions it would be too large for
// kubectl apply. Upstream's package has types of other jobs as well.
//
//go:generate go tool -modfile=../../tools/controller-gen/go.mod controller-gen crd:crdVersions=v1,generateEmbeddedObjectMeta=true,maxDescLen=0 paths=github.com/kubeflow/training-operator/pkg/apis/kubeflow.org/v1 output:crd:dir=../../charts/muster/crds
//go:generate sh -c "rm ../../charts/muster/crds/kubeflow.org_*[!f]jobs.yaml"
