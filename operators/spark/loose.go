package spark

import (
	"github.com/kubeflow/spark-operator/v2/api/v1alpha1"
	"github.com/kubeflow/spark-operator/v2/api/v1beta2"

	"muster.sh/muster/internal/loose"
	"muster.sh/muster/internal/sparkspec"
	"muster.sh/muster/operators/view"
)

// looseKinds have pod templates, which their definitions take whatever they are. One
// user's must not keep the operator from reading those of all others.
var looseKinds = []view.Loose{
	{Kind: &v1beta2.SparkApplication{}, Read: sparkspec.Read},
	{Kind: &v1beta2.ScheduledSparkApplication{}, Read: loose.Reader[v1beta2.ScheduledSparkApplication]("spec.template.driver.template", "spec.template.executor.template")},
	{Kind: &v1alpha1.SparkConnect{}, Read: loose.Reader[v1alpha1.SparkConnect]("spec.server.template", "spec.executor.template")},
}
