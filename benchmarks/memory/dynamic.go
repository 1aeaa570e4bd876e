package memory

import (
	"fmt"

	apiextensions "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	dynamicfake "k8s.io/client-go/dynamic/fake"
	"sigs.k8s.io/yaml"
	volcanov1beta1 "volcano.sh/apis/pkg/apis/scheduling/v1beta1"

	"muster.sh/muster/api/v1alpha1"
	"muster.sh/muster/internal/volcano"
)

var (
	podGroups   = volcanov1beta1.SchemeGroupVersion.WithResource("podgroups")
	definitions = apiextensions.SchemeGroupVersion.WithResource("customresourcedefinitions")
)

// dynamicClient answers for PodGroups itself. It knows their definition, and no
// object of any other kind.
type dynamicClient struct {
	*dynamicfake.FakeDynamicClient
	api *API
}

func newDynamicClient(a *API) (dynamicClient, error) {
	served, err := served(volcano.PodGroupDefinition())
	if err != nil {
		return dynamicClient{}, err
	}
	lists := map[schema.GroupVersionResource]string{
		podGroups: "PodGroupList", definitions: "CustomResourceDefinitionList", v1alpha1.ReservationResource: "ReservationList",
	}
	return dynamicClient{dynamicfake.NewSimpleDynamicClientWithCustomListKinds(runtime.NewScheme(), lists, served), a}, nil
}

// served is a definition that is in effect.
func served(definition []byte) (*unstructured.Unstructured, error) {
	u := &unstructured.Unstructured{}
	if err := yaml.Unmarshal(definition, &u.Object); err != nil {
		return nil, fmt.Errorf("read the definition of PodGroups: %w", err)
	}
	established := map[string]any{"type": string(apiextensions.Established), "status": string(apiextensions.ConditionTrue)}
	if err := unstructured.SetNestedSlice(u.Object, []any{established}, "status", "conditions"); err != nil {
		return nil, fmt.Errorf("establish the definition of PodGroups: %w", err)
	}
	return u, nil
}

// Resource returns the client of a kind.
func (d dynamicClient) Resource(of schema.GroupVersionResource) dynamic.NamespaceableResourceInterface {
	empty := d.FakeDynamicClient.Resource(of)
	if of == podGroups {
		return groups{empty, d.api, metav1.NamespaceAll}
	}
	return empty
}
