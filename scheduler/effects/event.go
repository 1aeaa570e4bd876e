package effects

import (
	"cmp"
	"context"
	"fmt"
	"time"

	v1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const maxNote = 1024 // the API server's limit for the text of an event

// happening is what an event tells of an object.
type happening struct {
	about              v1.ObjectReference
	kind, reason, note string
	at                 time.Time
}

// sendEvent makes one event. That of an object in no namespace is where Kubernetes has
// those of nodes.
func (c *Config) sendEvent(ctx context.Context, h happening) error {
	namespace := cmp.Or(h.about.Namespace, metav1.NamespaceDefault)
	_, err := c.Client.EventsV1().Events(namespace).Create(ctx, &eventsv1.Event{
		ObjectMeta: metav1.ObjectMeta{
			// The name is that of one decision, so that a retry can't double it.
			Name: fmt.Sprintf("%s.%x", shorten(h.about.Name, 200), h.at.UnixNano()), Namespace: namespace,
		},
		EventTime:           metav1.NewMicroTime(h.at),
		ReportingController: c.SchedulerName,
		ReportingInstance:   c.Instance,
		Action:              "Scheduling",
		Reason:              h.reason,
		Regarding:           h.about,
		Note:                shorten(h.note, maxNote),
		Type:                h.kind,
	}, metav1.CreateOptions{})
	if apierrors.IsAlreadyExists(err) {
		return nil
	}
	return err
}
