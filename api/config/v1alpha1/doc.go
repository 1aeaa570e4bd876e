// Package v1alpha1 holds the configuration files of Muster's binaries: their
// types, their defaults and what is checked of them.
package v1alpha1
