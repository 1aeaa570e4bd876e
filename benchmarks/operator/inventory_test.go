package operator

import (
	"context"
	"maps"
	"testing"
	"testing/synctest"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/metadata/fake"
)

var (
	configMaps = schema.GroupVersionResource{Version: "v1", Resource: "configmaps"}
	services   = schema.GroupVersionResource{Version: "v1", Resource: "services"}
)

func object(kind, name string, owners ...metav1.OwnerReference) *metav1.PartialObjectMetadata {
	return &metav1.PartialObjectMetadata{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: kind},
		ObjectMeta: metav1.ObjectMeta{Namespace: tenant(0), Name: name, UID: types.UID(name), OwnerReferences: owners},
	}
}

// newInventory has noted an object of before, and knows of three that have come since.
func newInventory(t *testing.T) *inventory {
	t.Helper()
	scheme := fake.NewTestScheme()
	if err := metav1.AddMetaToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	objects := []runtime.Object{
		object("ConfigMap", "before"), object("ConfigMap", "owned", metav1.OwnerReference{Kind: "Pod", Name: "driver"}),
		object("ConfigMap", "stray"), object("Service", "ui"),
	}
	return &inventory{
		client: fake.NewSimpleMetadataClient(scheme, objects...), resources: []schema.GroupVersionResource{configMaps, services},
		before: map[types.UID]bool{"before": true},
	}
}

func TestWhatNobodyOwnsIsCounted(t *testing.T) {
	got, err := newInventory(t).unowned(t.Context())
	if want := map[string]int{"configmaps": 1, "services": 1}; err != nil || !maps.Equal(got, want) {
		t.Errorf("got %v, %v, want %v", got, err, want)
	}
}

func TestWhatStaysIsCountedOnceNothingGoesAnyMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i := newInventory(t)
		remove := func(resource schema.GroupVersionResource, name string) {
			if err := i.client.Resource(resource).Namespace(tenant(0)).Delete(context.Background(), name, metav1.DeleteOptions{}); err != nil {
				t.Error(err)
			}
		}
		// One goes just before it is taken for one that stays, another soon after.
		time.AfterFunc(settled-leftPoll/2, func() { remove(services, "ui") })
		time.AfterFunc(settled+leftPoll, func() { remove(configMaps, "owned") })
		got, err := i.left(t.Context())
		if want := map[string]int{"configmaps": 1}; err != nil || !maps.Equal(got, want) {
			t.Errorf("got %v, %v, want %v", got, err, want)
		}
		remove(configMaps, "stray")
		if got, err = i.left(t.Context()); err != nil || len(got) > 0 {
			t.Errorf("got %v, %v, want nothing", got, err)
		}
	})
}
