package effects

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/client-go/dynamic"

	"muster.sh/muster/api/v1alpha1"
	"muster.sh/muster/scheduler/core"
	"muster.sh/muster/scheduler/gang"
)

// reservationWrite stores a gang's Reservation, or, without one, removes it.
type reservationWrite struct {
	gang  gang.ID
	store *v1alpha1.Reservation
	// epochs wait for an acknowledgement.
	epochs []core.Epoch
}

func store(d core.StoreReservation) *reservationWrite {
	w := &reservationWrite{gang: d.Gang, store: object(d)}
	if d.Epoch != 0 {
		w.epochs = []core.Epoch{d.Epoch}
	}
	return w
}

// after returns the write that remains when w follows old and old was not
// sent. Storing acknowledges all that waited for it; a removal nothing, as
// nobody waits for a plan that was given up.
func (w *reservationWrite) after(old *reservationWrite) *reservationWrite {
	if w == nil {
		return old
	}
	if old != nil && old.store != nil && w.store != nil {
		w.epochs = slices.Concat(old.epochs, w.epochs)
	}
	return w
}

// object builds the Reservation that a decision asks for.
func object(d core.StoreReservation) *v1alpha1.Reservation {
	count := map[core.ReservedSlot]int32{}
	for _, s := range d.Slots {
		count[s]++
	}
	r := &v1alpha1.Reservation{
		TypeMeta: metav1.TypeMeta{APIVersion: v1alpha1.GroupVersion.String(), Kind: "Reservation"},
		ObjectMeta: metav1.ObjectMeta{
			Namespace: d.Owner.Namespace, Name: reservationName(d.Gang),
			Labels: map[string]string{v1alpha1.ManagedByLabel: v1alpha1.ManagedBy},
			OwnerReferences: []metav1.OwnerReference{{
				APIVersion: d.Owner.APIVersion, Kind: d.Owner.Kind, Name: d.Owner.Name, UID: types.UID(d.Owner.UID),
			}},
		},
		Spec: v1alpha1.ReservationSpec{
			Gang: string(d.Gang), Leaving: d.Leaving,
			Owner: v1alpha1.ReservationOwner{APIVersion: d.Owner.APIVersion, Kind: d.Owner.Kind, Name: d.Owner.Name, UID: types.UID(d.Owner.UID)},
		},
	}
	for _, s := range slices.SortedFunc(maps.Keys(count), func(a, b core.ReservedSlot) int {
		return cmp.Or(cmp.Compare(a.Role, b.Role), cmp.Compare(a.Node, b.Node))
	}) {
		r.Spec.Slots = append(r.Spec.Slots, v1alpha1.ReservedSlots{Role: s.Role, Node: s.Node, Count: count[s]})
	}
	return r
}

// reservationName names the Reservation of a gang, the same at every start. A
// gang's own name is kept where it is a name for an object, so that people
// recognise it.
func reservationName(id gang.ID) string {
	kind, _, name := split(id)
	if full := kind + "." + name; len(validation.IsDNS1123Subdomain(full)) == 0 {
		return full
	}
	sum := sha256.Sum256([]byte(id))
	return "gang-" + hex.EncodeToString(sum[:16])
}

// split takes a gang's ID apart.
func split(id gang.ID) (kind, namespace, name string) {
	kind, rest, _ := strings.Cut(string(id), "/")
	namespace, name, _ = strings.Cut(rest, "/")
	return kind, namespace, name
}

// settle sends a write of a Reservation and acknowledges it. It reports false
// if it is to be tried again.
func (e *Effects) settle(ctx context.Context, w *reservationWrite) bool {
	var err error
	if w.store == nil {
		err = e.dropReservation(ctx, w.gang)
	} else {
		err = e.storeReservation(ctx, w)
	}
	if passes(err) {
		return false
	}
	for _, epoch := range w.epochs {
		ack := core.ReservationStored{Gang: w.gang, Epoch: epoch}
		if err != nil {
			ack.Err = err.Error()
		}
		e.cfg.Post(ack)
	}
	return true
}

func (e *Effects) reservations(namespace string) dynamic.ResourceInterface {
	return e.cfg.Dynamic.Resource(v1alpha1.ReservationResource).Namespace(namespace)
}

func (e *Effects) dropReservation(ctx context.Context, id gang.ID) error {
	_, namespace, _ := split(id)
	err := e.reservations(namespace).Delete(ctx, reservationName(id), metav1.DeleteOptions{})
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}

// storeReservation makes the object what it should be. One that is to be
// acknowledged is most likely new, any other is there already: that is tried
// first.
func (e *Effects) storeReservation(ctx context.Context, w *reservationWrite) error {
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(w.store)
	if err != nil {
		return fmt.Errorf("store reservation %s: %w", w.store.Name, err)
	}
	want := &unstructured.Unstructured{Object: content}
	client := e.reservations(w.store.Namespace)
	if len(w.epochs) > 0 {
		if err := create(ctx, client, want); !apierrors.IsAlreadyExists(err) {
			return err
		}
	}
	old, err := client.Get(ctx, want.GetName(), metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return create(ctx, client, want)
	}
	if err != nil {
		return err
	}
	changed := old.DeepCopy()
	changed.Object["spec"] = want.Object["spec"]
	changed.SetLabels(want.GetLabels())
	changed.SetOwnerReferences(want.GetOwnerReferences())
	if reflect.DeepEqual(old.Object, changed.Object) {
		return nil
	}
	_, err = client.Update(ctx, changed, metav1.UpdateOptions{})
	return err
}

func create(ctx context.Context, client dynamic.ResourceInterface, want *unstructured.Unstructured) error {
	_, err := client.Create(ctx, want, metav1.CreateOptions{})
	return err
}
