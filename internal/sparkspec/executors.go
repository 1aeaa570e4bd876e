// Package sparkspec tells what the spec of a SparkApplication asks for, its fields and
// settings taken together as the operator takes them.
package sparkspec

import (
	"strconv"

	"github.com/kubeflow/spark-operator/v2/api/v1beta2"
	"k8s.io/utils/ptr"
)

// FirstExecutors is how many executors an application begins with.
func FirstExecutors(spec *v1beta2.SparkApplicationSpec) int {
	conf := func(key string, field *int32) int {
		if field != nil {
			return int(*field)
		}
		n, _ := strconv.Atoi(spec.SparkConf[key]) // What is no number isn't run.
		return n
	}
	instances := conf("spark.executor.instances", spec.Executor.Instances)
	dynamic := ptr.Deref(spec.DynamicAllocation, v1beta2.DynamicAllocation{})
	switch {
	case dynamic.Enabled || spec.SparkConf["spark.dynamicAllocation.enabled"] == "true":
		return max(instances, conf("spark.dynamicAllocation.minExecutors", dynamic.MinExecutors),
			conf("spark.dynamicAllocation.initialExecutors", dynamic.InitialExecutors))
	case spec.Executor.Instances == nil && spec.SparkConf["spark.executor.instances"] == "":
		return 1 // upstream's default
	}
	return instances
}
