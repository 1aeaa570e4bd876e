package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

var errNoKinds = errors.New("the cluster does not know such jobs; install Muster's chart, or apply charts/muster/crds")

// find returns the job that a user names.
func (c *cluster) find(ctx context.Context, named string) (*job, error) {
	prefix, name, split := strings.Cut(named, "/")
	if !split {
		prefix, name = "", named
	}
	var found []job
	asked, unknown := 0, 0
	for _, k := range kinds {
		if prefix != "" && prefix != k.name {
			continue
		}
		asked++
		o := k.stored()
		switch err := c.Get(ctx, client.ObjectKey{Namespace: c.namespace, Name: name}, o); {
		case meta.IsNoMatchError(err):
			unknown++
		case apierrors.IsNotFound(err):
		case err != nil:
			return nil, err
		default:
			found = append(found, k.jobOf(o))
		}
	}
	switch {
	case len(found) == 1:
		return &found[0], nil
	case len(found) > 1:
		return nil, fmt.Errorf("there are a %s and a %s %s; say %s or %s", found[0].kind.api, found[1].kind.api, name, found[0].name(), found[1].name())
	case asked > 0 && unknown == asked:
		return nil, errNoKinds
	case prefix != "" && !slices.ContainsFunc(kinds, func(k *kind) bool { return k.name == prefix }):
		return nil, fmt.Errorf("there is no kind %s of jobs; say spark/%s or tf/%s", prefix, name, name)
	}
	return nil, fmt.Errorf("there is no job %s in namespace %s; \"muster jobs -A\" lists all that there are", named, c.namespace)
}

// jobsIn lists the jobs of a namespace, or of all.
func (c *cluster) jobsIn(ctx context.Context, namespace string) ([]job, error) {
	var out []job
	unknown := 0
	for _, k := range kinds {
		l := k.list()
		if err := c.List(ctx, l, client.InNamespace(namespace)); meta.IsNoMatchError(err) {
			unknown++
			continue
		} else if err != nil {
			return nil, err
		}
		for i := range l.Items {
			out = append(out, k.jobOf(&l.Items[i]))
		}
	}
	if unknown == len(kinds) {
		return nil, errNoKinds
	}
	return out, nil
}

// podsOf lists the pods of a job, by role.
func (c *cluster) podsOf(ctx context.Context, j *job) ([]corev1.Pod, error) {
	var pods corev1.PodList
	err := c.List(ctx, &pods, client.InNamespace(j.object.GetNamespace()), client.MatchingLabels{j.kind.labelled: j.object.GetName()})
	slices.SortFunc(pods.Items, func(a, b corev1.Pod) int { return strings.Compare(j.kind.role(&a), j.kind.role(&b)) })
	return pods.Items, err
}
