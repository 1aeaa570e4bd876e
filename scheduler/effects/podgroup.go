package effects

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"muster.sh/muster/scheduler/core"
	"muster.sh/muster/scheduler/gang"
)

const podGroupKind = "PodGroup"

// groupAPI is an API of PodGroups whose status is written.
type groupAPI struct {
	resource schema.GroupVersionResource
	// mayLackStatus says that the API has been shipped without the subresource of
	// the status. Then the status is written like any other field.
	mayLackStatus bool
	// change works out what of the status of a PodGroup is to be set; if it
	// returns nothing, all is true already.
	change func(*unstructured.Unstructured, news) map[string]any
}

// groupAPIs are the APIs of PodGroups by their version.
var groupAPIs = byVersion(volcanoGroups, coschedulingGroups, kubernetesGroups)

func byVersion(apis ...groupAPI) map[string]groupAPI {
	m := map[string]groupAPI{}
	for _, api := range apis {
		m[api.resource.GroupVersion().String()] = api
	}
	return m
}

// news is what there is to tell of a gang. Verdict or status may be nil.
type news struct {
	verdict *explainWrite
	status  *statusWrite
	// succeeded and failed are how many members have ended so.
	succeeded, failed int
}

// statusWrite brings the status of a PodGroup up to date.
type statusWrite struct {
	core.Status
	decided time.Time
}

// due tells when the status is to be written, if it has not changed by then.
func (w *statusWrite) due() time.Time {
	if w.whole() || w.Members == 0 {
		return w.decided.Add(gather)
	}
	return w.decided.Add(passing)
}

func (w *statusWrite) whole() bool { return w.Phase == core.Started && w.Bound >= w.Min }

func isPodGroup(owner gang.Object) bool {
	_, known := groupAPIs[owner.APIVersion]
	return known && owner.Kind == podGroupKind
}

// podGroup tells of the PodGroup whose status is to be written, if one is.
func (w work) podGroup() (gang.ID, gang.Object, bool) {
	if w.status != nil {
		return w.status.Gang, w.status.Owner, true
	}
	if w.explain != nil && isPodGroup(w.explain.Owner) {
		return w.explain.Gang, w.explain.Owner, true
	}
	return "", gang.Object{}, false
}

// showPodGroup writes the status of a PodGroup. What it is made from must not have
// changed until it is written.
func (e *Effects) showPodGroup(ctx context.Context, id gang.ID, owner gang.Object, n news) error {
	api := groupAPIs[owner.APIVersion]
	found, err := e.cfg.Dynamic.Resource(api.resource).Namespace(owner.Namespace).Get(ctx, owner.Name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) || err == nil && string(found.GetUID()) != owner.UID {
		return nil // nobody is left to be told
	}
	if err != nil {
		return fmt.Errorf("read PodGroup %s/%s: %w", owner.Namespace, owner.Name, err)
	}
	n.succeeded, n.failed = e.cfg.Ended(id)
	change := api.change(found, n)
	if len(change) == 0 {
		return nil
	}
	patch, err := json.Marshal(map[string]any{
		"metadata": map[string]any{"uid": owner.UID, "resourceVersion": found.GetResourceVersion()}, "status": change,
	})
	if err != nil {
		return fmt.Errorf("write status of PodGroup %s/%s: %w", owner.Namespace, owner.Name, err)
	}
	err = e.patchStatus(ctx, api, owner, patch)
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}

func (e *Effects) patchStatus(ctx context.Context, api groupAPI, owner gang.Object, patch []byte) error {
	client := e.cfg.Dynamic.Resource(api.resource).Namespace(owner.Namespace)
	_, err := client.Patch(ctx, owner.Name, types.MergePatchType, patch, metav1.PatchOptions{}, "status")
	if apierrors.IsNotFound(err) && api.mayLackStatus {
		_, err = client.Patch(ctx, owner.Name, types.MergePatchType, patch, metav1.PatchOptions{})
	}
	return err
}
