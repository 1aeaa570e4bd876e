package source

import (
	"context"
	"fmt"
	"time"

	nodev1 "k8s.io/api/node/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/klog/v2"

	"muster.sh/muster/api/v1alpha1"
	"muster.sh/muster/internal/sparkconf"
)

// How often the ConfigMaps of a driver are looked for. spark-submit makes them
// some tenths of a second after the pod, and there is no event to wait for:
// watching ConfigMaps would need the right to read all of them.
const (
	firstPause = 100 * time.Millisecond
	longPause  = time.Second
	// latePause is for applications that have been refused meanwhile.
	latePause = 10 * time.Second
)

// readConf reads an application's settings, once they are there.
func (s *Source) readConf(ctx context.Context, e readConf) {
	began, pause, late := s.cfg.Clock.Now(), firstPause, false
	for {
		in, err := s.fetchConf(ctx, e)
		if err == nil {
			s.step(func(c *collector) { c.confRead(e.driver.UID, in) })
			return
		}
		if ctx.Err() != nil {
			return
		}
		patience := s.cfg.ConfigMapTimeout
		if apierrors.IsNotFound(err) {
			patience = e.patience
		}
		if !late && s.cfg.Clock.Since(began) >= patience {
			late = true
			klog.FromContext(ctx).Info("Settings of a Spark application can't be read",
				"pod", klog.KObj(e.driver), "configMap", e.properties.ConfigMap, "err", err)
			s.step(func(c *collector) { c.confMissing(e.driver.UID, err) })
		}
		if late {
			pause = latePause
		}
		if !s.pause(ctx, pause) {
			return
		}
		pause = min(pause*3/2, longPause)
	}
}

// pause waits, and reports false if the context ended meanwhile.
func (s *Source) pause(ctx context.Context, d time.Duration) bool {
	timer := s.cfg.Clock.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C():
		return true
	case <-ctx.Done():
		return false
	}
}

// fetchConf reads all that the size of an application's executors follows from.
func (s *Source) fetchConf(ctx context.Context, e readConf) (conf, error) {
	namespace := e.driver.Namespace
	in := conf{runtimeClass: s.runtimeClass}
	var err error
	if in.properties, err = s.configMap(ctx, namespace, e.properties); err != nil {
		return conf{}, err
	}
	if e.template != nil {
		if in.template, err = s.configMap(ctx, namespace, *e.template); err != nil {
			return conf{}, err
		}
	}
	if in.limits, err = s.limits.LimitRanges(namespace).List(labels.Everything()); err != nil {
		return conf{}, fmt.Errorf("list LimitRanges of namespace %s: %w", namespace, err)
	}
	return in, nil
}

// configMap reads one entry of a ConfigMap.
func (s *Source) configMap(ctx context.Context, namespace string, at sparkconf.Source) (string, error) {
	select {
	case s.reads <- struct{}{}:
		defer func() { <-s.reads }()
	case <-ctx.Done():
		return "", ctx.Err()
	}
	cm, err := s.cfg.Client.CoreV1().ConfigMaps(namespace).Get(ctx, at.ConfigMap, metav1.GetOptions{})
	if err != nil {
		return "", err
	}
	text, ok := cm.Data[at.Key]
	if !ok {
		return "", fmt.Errorf("configmap %q has no key %q", at.ConfigMap, at.Key)
	}
	return text, nil
}

func (s *Source) runtimeClass(name string) *nodev1.RuntimeClass {
	class, err := s.classes.Get(name)
	if err != nil {
		return nil
	}
	return class
}

// listReservations reads what an earlier leader has stored.
func (s *Source) listReservations(ctx context.Context) ([]reservation, error) {
	list, err := s.cfg.Dynamic.Resource(v1alpha1.ReservationResource).List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, fmt.Errorf("list reservations.muster.sh (are Muster's CRDs installed?): %w", err)
	}
	out := make([]reservation, 0, len(list.Items))
	for i := range list.Items {
		var r reservation
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(list.Items[i].Object, &r); err != nil {
			// Without an owner it can't be claimed, and will be discarded.
			r = reservation{ObjectMeta: metav1.ObjectMeta{Namespace: list.Items[i].GetNamespace(), Name: list.Items[i].GetName()}}
		}
		out = append(out, r)
	}
	return out, nil
}

// discard removes a Reservation that nobody can claim. Should it fail, garbage
// collection or the next leader will do it.
func (s *Source) discard(e discard) {
	err := s.cfg.Dynamic.Resource(v1alpha1.ReservationResource).Namespace(e.namespace).Delete(s.ctx, e.name, metav1.DeleteOptions{})
	if err != nil && !apierrors.IsNotFound(err) {
		klog.FromContext(s.ctx).Error(err, "A reservation without an owner could not be removed", "reservation", klog.KRef(e.namespace, e.name))
	}
}
