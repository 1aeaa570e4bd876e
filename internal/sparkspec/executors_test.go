package sparkspec

import (
	"testing"

	"github.com/kubeflow/spark-operator/v2/api/v1beta2"
	"k8s.io/utils/ptr"
)

func TestHowManyExecutorsAnApplicationBeginsWith(t *testing.T) {
	dynamic := &v1beta2.DynamicAllocation{Enabled: true, MinExecutors: ptr.To[int32](2), InitialExecutors: ptr.To[int32](5)}
	for name, tc := range map[string]struct {
		spec v1beta2.SparkApplicationSpec
		want int
	}{
		"nothing is said":          {v1beta2.SparkApplicationSpec{}, 1},
		"the field":                {v1beta2.SparkApplicationSpec{Executor: v1beta2.ExecutorSpec{Instances: ptr.To[int32](4)}, SparkConf: map[string]string{"spark.executor.instances": "7"}}, 4},
		"a setting":                {v1beta2.SparkApplicationSpec{SparkConf: map[string]string{"spark.executor.instances": "7"}}, 7},
		"dynamic allocation":       {v1beta2.SparkApplicationSpec{DynamicAllocation: dynamic}, 5},
		"dynamic, by settings":     {v1beta2.SparkApplicationSpec{SparkConf: map[string]string{"spark.dynamicAllocation.enabled": "true", "spark.dynamicAllocation.minExecutors": "3"}}, 3},
		"dynamic, and none at all": {v1beta2.SparkApplicationSpec{DynamicAllocation: &v1beta2.DynamicAllocation{Enabled: true}}, 0},
	} {
		if got := FirstExecutors(&tc.spec); got != tc.want {
			t.Errorf("%s: %d, not %d", name, got, tc.want)
		}
	}
}
