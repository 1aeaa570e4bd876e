package operator

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/kubeflow/spark-operator/v2/api/v1beta2"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/rest"
	toolscache "k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"muster.sh/muster/internal/sparkconf"
)

// labelApplication names the application that a driver is of. Both operators set it.
const labelApplication = "sparkoperator.k8s.io/app-name"

// observer watches applications and their drivers, and notes what is seen of each.
type observer struct {
	mu      sync.Mutex
	courses map[string]*course // by the application's name
	failed  error
	changed chan struct{} // has room for one word
}

// observe begins to watch. It ends with the context.
func observe(ctx context.Context, config *rest.Config, scheme *runtime.Scheme) (*observer, error) {
	o := &observer{courses: map[string]*course{}, changed: make(chan struct{}, 1)}
	drivers := labels.SelectorFromSet(labels.Set{sparkconf.LabelRole: sparkconf.RoleDriver})
	watches, err := cache.New(config, cache.Options{
		Scheme:           scheme,
		ByObject:         map[client.Object]cache.ByObject{&corev1.Pod{}: {Label: drivers}},
		DefaultTransform: cache.TransformStripManagedFields(),
	})
	if err != nil {
		return nil, fmt.Errorf("watch: %w", err)
	}
	handlers := map[client.Object]func(any){
		&v1beta2.SparkApplication{}: func(object any) { o.application(object.(*v1beta2.SparkApplication)) },
		&corev1.Pod{}:               func(object any) { o.driver(object.(*corev1.Pod)) },
	}
	for object, handle := range handlers {
		informer, err := watches.GetInformer(ctx, object, cache.BlockUntilSynced(false))
		if err != nil {
			return nil, fmt.Errorf("watch: %w", err)
		}
		_, err = informer.AddEventHandler(toolscache.ResourceEventHandlerFuncs{AddFunc: handle, UpdateFunc: func(_, now any) { handle(now) }})
		if err != nil {
			return nil, fmt.Errorf("watch: %w", err)
		}
	}
	go func() {
		if err := watches.Start(ctx); err != nil {
			o.fail(err)
		}
	}()
	if !watches.WaitForCacheSync(ctx) {
		return nil, errors.New("the applications could not be read")
	}
	return o, nil
}

// note changes what is known of an application.
func (o *observer) note(name string, change func(*course)) {
	o.mu.Lock()
	defer o.mu.Unlock()
	c := o.courses[name]
	if c == nil {
		c = &course{}
		o.courses[name] = c
	}
	change(c)
	o.tell()
}

func (o *observer) fail(err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.failed = cmp.Or(o.failed, err)
	o.tell()
}

// tell says that something has changed.
func (o *observer) tell() {
	select {
	case o.changed <- struct{}{}:
	default: // it has been said, and nobody has listened yet
	}
}

func (o *observer) application(app *v1beta2.SparkApplication) {
	now, state := time.Now(), app.Status.AppState
	o.note(app.Name, func(c *course) {
		if m, ok := ofApplication(state.State); ok {
			c.told.reach(m, now)
		}
	})
	if state.State == v1beta2.ApplicationStateFailed {
		o.fail(fmt.Errorf("application %s has failed: %s", app.Name, state.ErrorMessage))
	}
}

func (o *observer) driver(pod *corev1.Pod) {
	now := time.Now()
	o.note(pod.Labels[labelApplication], func(c *course) { c.driver.reach(ofDriver(pod.Status.Phase), now) })
}

// await waits until n applications of a kind have reached a milestone, and returns when
// the last one did. It ends early where one has failed.
func (o *observer) await(ctx context.Context, kind string, n int, to milestone) (time.Time, error) {
	for {
		reached, last, err := o.count(kind, to)
		switch {
		case err != nil:
			return last, err
		case reached >= n:
			return last, nil
		}
		select {
		case <-o.changed:
		case <-ctx.Done():
			return last, fmt.Errorf("%d of %d applications have come to where all were awaited: %w", reached, n, context.Cause(ctx))
		}
	}
}

func (o *observer) count(kind string, to milestone) (reached int, last time.Time, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for name, c := range o.courses {
		at := c.done(to)
		if !ofKind(name, kind) || at.IsZero() {
			continue
		}
		reached++
		if at.After(last) {
			last = at
		}
	}
	return reached, last, o.failed
}

// seen are the courses of all applications of a kind. They don't change any more once all
// have ended.
func (o *observer) seen(kind string) []*course {
	o.mu.Lock()
	defer o.mu.Unlock()
	var out []*course
	for name, c := range o.courses {
		if ofKind(name, kind) {
			out = append(out, c)
		}
	}
	return out
}

func ofKind(name, kind string) bool { return strings.HasPrefix(name, kind+"-") }
