package testcluster

import (
	"cmp"
	"fmt"
	"os"
	"strings"

	"k8s.io/client-go/discovery"

	"muster.sh/muster/internal/localcluster"
)

// kubernetesVariable names the environment variable that says on which version of
// Kubernetes stories are played, such as 1.34.
const kubernetesVariable = "MUSTER_TEST_KUBERNETES"

// KubernetesVersion is the one that tests start; without the variable that of the
// libraries in this module.
func KubernetesVersion() string { return cmp.Or(os.Getenv(kubernetesVariable), newestKubernetes()) }

func newestKubernetes() string {
	versions := localcluster.KubernetesVersions()
	return versions[len(versions)-1]
}

// CheckKubernetes makes sure that an API server is of the version that was asked for.
func CheckKubernetes(server discovery.ServerVersionInterface) error {
	info, err := server.ServerVersion()
	if err != nil {
		return fmt.Errorf("ask the API server for its version: %w", err)
	}
	if want := KubernetesVersion(); !strings.HasPrefix(info.GitVersion, "v"+want+".") {
		return fmt.Errorf("the API server is of Kubernetes %s, not %s", info, want)
	}
	return nil
}
