// Package v1alpha1 holds the types of the API group muster.sh, and the labels
// and annotations that Muster reads and writes. It has no logic.
//
// The deepcopy functions and the CustomResourceDefinitions in
// charts/muster/crds are generated from it: go generate ./api/v1alpha1
//
// +kubebuilder:object:generate=true
// +groupName=muster.sh
package v1alpha1

//go:generate go tool -modfile=../../tools/controller-gen/go.mod controller-gen object paths=.
//go:generate go tool -modfile=../../tools/controller-gen/go.mod controller-gen crd:crdVersions=v1 paths=. output:crd:dir=../../charts/muster/crds
