package sparkspec

import (
	"github.com/kubeflow/spark-operator/v2/api/v1beta2"

	"muster.sh/muster/internal/loose"
)

// Read makes an application of what is stored. Its pod templates may be none: the
// definition takes them whatever they are.
var Read = loose.Reader[v1beta2.SparkApplication]("spec.driver.template", "spec.executor.template")
