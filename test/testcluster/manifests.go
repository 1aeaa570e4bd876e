package testcluster

import (
	"bytes"
	_ "embed"
	"fmt"
	"os"
	"path/filepath"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	chart "muster.sh/muster/charts/muster"
)

//go:embed podgroup-crd.yaml
var podGroupDefinition []byte

// writeManifests writes what a story needs in the cluster: the definitions of
// PodGroup and of Muster's own objects, and the scheduler's rights as the chart
// grants them.
func writeManifests(dir, user string) error {
	files := map[string][]any{"rights.yaml": rights(user)}
	for _, definition := range chart.CustomResourceDefinitions() {
		files["definitions.yaml"] = append(files["definitions.yaml"], definition)
	}
	for name, objects := range files {
		var documents [][]byte
		for _, object := range objects {
			document, err := yaml.Marshal(object)
			if err != nil {
				return fmt.Errorf("encode manifest %s: %w", name, err)
			}
			documents = append(documents, document)
		}
		if err := writeFile(dir, name, bytes.Join(documents, []byte("---\n"))); err != nil {
			return err
		}
	}
	return writeFile(dir, "podgroup.yaml", podGroupDefinition)
}

func writeFile(dir, name string, data []byte) error {
	if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
		return fmt.Errorf("write manifest: %w", err)
	}
	return nil
}

// rights binds the chart's rules to the user that the scheduler signs in as.
func rights(user string) []any {
	subjects := []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: user}}
	named := func(namespace string) metav1.ObjectMeta { return metav1.ObjectMeta{Namespace: namespace, Name: user} }
	kind := func(kind string) metav1.TypeMeta {
		return metav1.TypeMeta{APIVersion: rbacv1.SchemeGroupVersion.String(), Kind: kind}
	}
	reader := named(metav1.NamespaceSystem)
	reader.Name += "-authentication-reader"
	return []any{
		&rbacv1.ClusterRole{TypeMeta: kind("ClusterRole"), ObjectMeta: named(""), Rules: chart.SchedulerClusterRules()},
		&rbacv1.ClusterRoleBinding{
			TypeMeta: kind("ClusterRoleBinding"), ObjectMeta: named(""), Subjects: subjects,
			RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: user},
		},
		&rbacv1.Role{TypeMeta: kind("Role"), ObjectMeta: named(metav1.NamespaceSystem), Rules: chart.SchedulerNamespaceRules()},
		&rbacv1.RoleBinding{
			TypeMeta: kind("RoleBinding"), ObjectMeta: named(metav1.NamespaceSystem), Subjects: subjects,
			RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: user},
		},
		&rbacv1.RoleBinding{
			TypeMeta: kind("RoleBinding"), ObjectMeta: reader, Subjects: subjects,
			RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: "extension-apiserver-authentication-reader"},
		},
	}
}
