package operator

import (
	"context"
	_ "embed"
	"fmt"
	"os/exec"
	"path/filepath"

	"muster.sh/muster/internal/localcluster"
	"muster.sh/muster/internal/localcluster/toolchain"
)

//go:embed spark-operator.yaml
var sparkOperatorObjects string

// sparkOperator is Kubeflow's, set up as its chart has it, but for its webhook, which the
// applications here don't need, and leader election. It starts Spark's own spark-submit
// for each application.
func sparkOperator(home string) Operator {
	const name = "spark-operator"
	return Operator{
		Name: name, About: "Kubeflow's spark-operator v2.4.0 without its webhook, with the settings of its chart", Tool: toolchain.SparkOperator, Component: name,
		Setup: func(ctx context.Context, spec *localcluster.Spec, dir string) error {
			submit := filepath.Join(home, "bin", "spark-submit")
			if _, err := exec.LookPath(submit); err != nil {
				return fmt.Errorf("--spark-home must be a Spark distribution: %w", err)
			}
			paths, err := toolchain.Build(ctx, nil, toolchain.SparkOperator)
			if err != nil {
				return err
			}
			source, err := toolchain.ModuleDir(ctx, toolchain.SparkOperator, "github.com/kubeflow/spark-operator/v2")
			if err != nil {
				return err
			}
			spec.Manifests = append(spec.Manifests, filepath.Join(source, "config", "crd", "bases"))
			spec.Programs = append(spec.Programs, localcluster.ProgramSpec{
				Name: name, User: name, Binary: paths.Program(toolchain.SparkOperator, "operator"),
				Args: []string{
					"controller", "start", "--kubeconfig=$KUBECONFIG", "--namespaces=" + Namespace, "--zap-log-level=info", "--zap-encoder=console",
					"--controller-threads=10", "--enable-ui-service=true", "--leader-election=false",
					"--workqueue-ratelimiter-bucket-qps=50", "--workqueue-ratelimiter-bucket-size=500", "--workqueue-ratelimiter-max-delay=6h",
					"--driver-pod-creation-grace-period=10s", "--max-tracked-executor-per-app=1000",
					"--enable-metrics=true", "--metrics-bind-address=$HOST:$METRICS", "--metrics-labels=app_type",
					"--health-probe-bind-address=$HOST:$HEALTH",
				},
				// What a pod is told of the API server, and spark-submit where no pod is.
				Env: []string{
					"KUBERNETES_SERVICE_HOST=$HOST", "KUBERNETES_SERVICE_PORT=$API_PORT", "KUBECONFIG=$KUBECONFIG",
					"SPARK_HOME=" + home, "SPARK_LOCAL_IP=$HOST",
				},
				Ports: []string{"METRICS", "HEALTH"}, Ready: "http://$HOST:$HEALTH/readyz",
			})
			return writeManifest(spec, dir, "spark-operator.yaml", sparkOperatorObjects)
		},
	}
}
