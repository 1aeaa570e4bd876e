package schedule

import (
	"cmp"
	"maps"
	"slices"

	"github.com/kubeflow/spark-operator/v2/api/v1beta2"
	"github.com/kubeflow/spark-operator/v2/pkg/common"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"muster.sh/muster/api/v1alpha1"
)

// Label is the label of runs that names their schedule.
const Label = common.LabelScheduledSparkAppName

// newRun is a run of the schedule, with the schedule's labels.
func newRun(app *v1beta2.ScheduledSparkApplication, name string) *v1beta2.SparkApplication {
	labels := maps.Clone(app.Labels)
	if labels == nil {
		labels = map[string]string{}
	}
	labels[Label] = app.Name
	spec := *app.Spec.Template.DeepCopy()
	if spec.Driver.Annotations == nil {
		spec.Driver.Annotations = map[string]string{}
	}
	// How long earlier runs took tells the scheduler how long the next one will.
	if _, named := spec.Driver.Annotations[v1alpha1.ApplicationAnnotation]; !named {
		spec.Driver.Annotations[v1alpha1.ApplicationAnnotation] = app.Name
	}
	return &v1beta2.SparkApplication{
		ObjectMeta: metav1.ObjectMeta{
			Name: name, Namespace: app.Namespace, Labels: labels,
			OwnerReferences: []metav1.OwnerReference{*metav1.NewControllerRef(app, v1beta2.SchemeGroupVersion.WithKind("ScheduledSparkApplication"))},
		},
		Spec: spec,
	}
}

// IsRunOf says whether an application is a run of a schedule. Kubeflow's operator makes
// runs that have the schedule as an owner, but not as their controller.
func IsRunOf(run *v1beta2.SparkApplication, app *v1beta2.ScheduledSparkApplication) bool {
	return slices.ContainsFunc(run.OwnerReferences, func(owner metav1.OwnerReference) bool { return owner.UID == app.UID })
}

func finished(run *v1beta2.SparkApplication) bool {
	return hasState(v1beta2.ApplicationStateCompleted)(run) || hasState(v1beta2.ApplicationStateFailed)(run)
}

func hasState(state v1beta2.ApplicationStateType) func(*v1beta2.SparkApplication) bool {
	return func(run *v1beta2.SparkApplication) bool { return run.Status.AppState.State == state }
}

// defaultHistory is how many runs of each end are kept.
const defaultHistory = 1

// keepHistory keeps as many of the runs that are over as it is said, the last ones.
func (d *decision) keepHistory() {
	spec, status := &d.App.Spec, &d.step.Status
	status.PastSuccessfulRunNames = d.keep(v1beta2.ApplicationStateCompleted, ptr.Deref(spec.SuccessfulRunHistoryLimit, defaultHistory))
	status.PastFailedRunNames = d.keep(v1beta2.ApplicationStateFailed, ptr.Deref(spec.FailedRunHistoryLimit, defaultHistory))
}

func (d *decision) keep(state v1beta2.ApplicationStateType, limit int32) (names []string) {
	var runs []*v1beta2.SparkApplication
	for _, run := range d.Runs {
		if hasState(state)(run) {
			runs = append(runs, run)
		}
	}
	slices.SortFunc(runs, func(a, b *v1beta2.SparkApplication) int {
		return cmp.Or(b.CreationTimestamp.Compare(a.CreationTimestamp.Time), cmp.Compare(b.Name, a.Name))
	})
	for i, run := range runs {
		if i < int(limit) {
			names = append(names, run.Name)
		} else {
			d.delete(run)
		}
	}
	return names
}
