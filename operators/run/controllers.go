package run

import (
	ctrl "sigs.k8s.io/controller-runtime"

	config "muster.sh/muster/api/config/v1alpha1"
	"muster.sh/muster/operators/tensorflow"
)

// controllers are all there are, with what adds them to a manager.
var controllers = map[config.Controller]func(ctrl.Manager, *config.OperatorsConfiguration) error{
	config.TensorFlowController: func(mgr ctrl.Manager, c *config.OperatorsConfiguration) error {
		return tensorflow.AddToManager(mgr, c.TensorFlow)
	},
}
