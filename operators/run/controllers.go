package run

import (
	ctrl "sigs.k8s.io/controller-runtime"

	config "muster.sh/muster/api/config/v1alpha1"
	"muster.sh/muster/operators/spark"
	"muster.sh/muster/operators/spark/plan"
	"muster.sh/muster/operators/tensorflow"
)

// controllers are all there are, with what adds them to a manager.
var controllers = map[config.Controller]func(ctrl.Manager, *config.OperatorsConfiguration) error{
	config.SparkController: func(mgr ctrl.Manager, c *config.OperatorsConfiguration) error {
		return spark.AddToManager(mgr, spark.Options{
			Plan:         plan.Options{SchedulerName: c.Spark.SchedulerName, User: c.Spark.User, Ingress: plan.IngressOptions(c.Spark.Ingress)},
			MaxExecutors: *c.Spark.MaxTrackedExecutors, Workers: c.Spark.Workers, MetricLabels: c.Spark.MetricLabels,
			ProgressInterval: c.Spark.Progress.Interval.Duration, Connect: *c.Spark.Connect, HistoryServer: c.Spark.HistoryServer,
		})
	},
	config.TensorFlowController: func(mgr ctrl.Manager, c *config.OperatorsConfiguration) error {
		return tensorflow.AddToManager(mgr, c.TensorFlow)
	},
}
