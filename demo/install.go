package main

import (
	"fmt"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	chart "muster.sh/muster/charts/muster"
	"muster.sh/muster/internal/localcluster"
)

// musterManifests are Muster's own objects and the rights of its scheduler, the
// same as its chart installs, as YAML documents.
func musterManifests() ([]string, error) {
	var objects []any
	for _, definition := range chart.CustomResourceDefinitions() {
		objects = append(objects, definition)
	}
	user := localcluster.MusterScheduler().User
	meta := metav1.ObjectMeta{Name: user}
	subjects := []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: user}}
	kind := func(kind string) metav1.TypeMeta {
		return metav1.TypeMeta{APIVersion: rbacv1.SchemeGroupVersion.String(), Kind: kind}
	}
	objects = append(objects,
		&rbacv1.ClusterRole{TypeMeta: kind("ClusterRole"), ObjectMeta: meta, Rules: chart.SchedulerClusterRules()},
		&rbacv1.ClusterRoleBinding{
			TypeMeta: kind("ClusterRoleBinding"), ObjectMeta: meta, Subjects: subjects,
			RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: user},
		},
		&rbacv1.RoleBinding{
			TypeMeta: kind("RoleBinding"), ObjectMeta: metav1.ObjectMeta{Name: user, Namespace: metav1.NamespaceSystem}, Subjects: subjects,
			RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: "extension-apiserver-authentication-reader"},
		},
	)
	var documents []string
	for _, object := range objects {
		text, err := yaml.Marshal(object)
		if err != nil {
			return nil, fmt.Errorf("write the manifests of Muster: %w", err)
		}
		documents = append(documents, string(text))
	}
	return documents, nil
}
