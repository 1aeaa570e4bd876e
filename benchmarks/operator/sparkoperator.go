package operator

import (
	"context"
	_ "embed"
	"fmt"
	"os/exec"
	"path/filepath"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	"k8s.io/utils/ptr"

	"muster.sh/muster/internal/localcluster"
	"muster.sh/muster/internal/localcluster/toolchain"
)

//go:embed spark-operator.yaml
var sparkOperatorObjects string

const (
	sparkOperatorName   = "spark-operator"
	sparkOperatorModule = "github.com/kubeflow/spark-operator/v2"
)

// sparkOperator is Kubeflow's, set up as its chart has it, but for its webhook, which the
// applications here don't need, and leader election. It starts Spark's own spark-submit
// for each application.
func sparkOperator(home string) Operator {
	return Operator{
		Name: sparkOperatorName, About: "Kubeflow's spark-operator v2.4.0 without its webhook, with the settings of its chart",
		Component: sparkOperatorName, Users: []string{sparkOperatorName, "system:serviceaccount:" + metav1.NamespaceDefault + ":" + sparkOperatorName},
		Setup: func(ctx context.Context, spec *localcluster.Spec, dir string) error {
			if _, err := exec.LookPath(filepath.Join(home, "bin", "spark-submit")); err != nil {
				return fmt.Errorf("--spark-home must be a Spark distribution: %w", err)
			}
			paths, err := toolchain.Build(ctx, nil, toolchain.SparkOperator)
			if err != nil {
				return err
			}
			source, err := toolchain.ModuleDir(ctx, toolchain.SparkOperator, sparkOperatorModule)
			if err != nil {
				return err
			}
			spec.Manifests = append(spec.Manifests, filepath.Join(source, "config", "crd", "bases"))
			spec.Programs = append(spec.Programs, sparkOperatorProgram(paths.Program(toolchain.SparkOperator, "operator"), home, dir))
			return writeManifest(spec, dir, "spark-operator.yaml", sparkOperatorObjects)
		},
		Ready: func(ctx context.Context, cluster *localcluster.Cluster, dir string) error {
			return signIn(ctx, cluster, submitKubeconfig(dir))
		},
	}
}

func sparkOperatorProgram(binary, home, dir string) localcluster.ProgramSpec {
	return localcluster.ProgramSpec{
		Name: sparkOperatorName, User: sparkOperatorName, Binary: binary,
		Args: []string{
			"controller", "start", "--kubeconfig=$KUBECONFIG", "--namespaces=", "--zap-log-level=info", "--zap-encoder=console",
			"--controller-threads=10", "--enable-ui-service=true", "--leader-election=false",
			"--workqueue-ratelimiter-bucket-qps=50", "--workqueue-ratelimiter-bucket-size=500", "--workqueue-ratelimiter-max-delay=6h",
			"--driver-pod-creation-grace-period=10s", "--max-tracked-executor-per-app=1000",
			"--enable-metrics=true", "--metrics-bind-address=$HOST:$METRICS", "--metrics-labels=app_type",
			"--health-probe-bind-address=$HOST:$HEALTH",
		},
		// What a pod is told of the API server, and spark-submit where no pod is.
		Env: []string{
			"KUBERNETES_SERVICE_HOST=$HOST", "KUBERNETES_SERVICE_PORT=$API_PORT", "KUBECONFIG=" + submitKubeconfig(dir),
			"SPARK_HOME=" + home, "SPARK_LOCAL_IP=$HOST",
		},
		Ports: []string{"METRICS", "HEALTH"}, Ready: "http://$HOST:$HEALTH/readyz",
	}
}

// submitKubeconfig is where spark-submit finds out how to sign in.
func submitKubeconfig(dir string) string { return filepath.Join(dir, "spark-submit.kubeconfig") }

// signIn writes a kubeconfig with a token, as a pod has one: Spark's client can't read the
// key of a cluster's own certificates, which is on an elliptic curve.
func signIn(ctx context.Context, cluster *localcluster.Cluster, path string) error {
	request := &authenticationv1.TokenRequest{Spec: authenticationv1.TokenRequestSpec{ExpirationSeconds: ptr.To(int64((24 * time.Hour).Seconds()))}}
	answer, err := cluster.Client().CoreV1().ServiceAccounts(metav1.NamespaceDefault).CreateToken(ctx, sparkOperatorName, request, metav1.CreateOptions{})
	if err != nil {
		return fmt.Errorf("ask for a token: %w", err)
	}
	config, err := clientcmd.LoadFromFile(cluster.Kubeconfig())
	if err != nil {
		return err
	}
	for _, user := range config.AuthInfos {
		*user = clientcmdapi.AuthInfo{Token: answer.Status.Token}
	}
	return clientcmd.WriteToFile(*config, path)
}
