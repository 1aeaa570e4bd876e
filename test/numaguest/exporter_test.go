package numaguest

import (
	"bytes"
	"context"
	_ "embed"
	"testing"

	"github.com/k8stopologyawareschedwg/noderesourcetopology-api/pkg/apis/topology/v1alpha2"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"muster.sh/muster/internal/localcluster/toolchain"
	"muster.sh/muster/test/testcluster"
)

// exporter is node-feature-discovery's topology updater.
const exporter = "nfd-topology-updater"

//go:embed exporter-rbac.yaml
var exporterRights []byte

// exporterObjects are the definition of what the exporter writes, and its rights.
func exporterObjects(t *testing.T) []byte {
	return bytes.Join([][]byte{testcluster.ZonesDefinition(t), exporterRights}, []byte("\n---\n"))
}

// addExporter builds the exporter, and adds it to the guest's programs.
func addExporter(ctx context.Context, t *testing.T, programs map[string]string) {
	t.Helper()
	tools, err := toolchain.Build(ctx, nil, toolchain.NFD)
	if err != nil {
		t.Fatal(err)
	}
	programs[exporter] = tools.Program(toolchain.NFD, exporter)
}

// startExporter waits until the exporter has told of the guest's zones. It asks the
// kubelet but once what there is, and so must not come before the devices. It looks now
// and then, and not at every change as is its way: that takes an emulated machine long.
func startExporter(ctx context.Context, t *testing.T, c *testcluster.Cluster) {
	t.Helper()
	runDaemon(ctx, t, c, daemon(exporter, "-kubeconfig=/etc/muster/kubelet.kubeconfig",
		"-kubelet-config-uri=file:///etc/muster/kubelet.yaml", "-kubelet-state-dir=", "-sleep-interval=20s"))
	kind := v1alpha2.SchemeGroupVersion.WithResource("noderesourcetopologies")
	err := c.AwaitGlobal(ctx, kind, nodeName, "it has two zones", func(u *unstructured.Unstructured) bool {
		zones, _, _ := unstructured.NestedSlice(u.Object, "zones")
		return len(zones) == 2
	})
	if err != nil {
		t.Fatal(err)
	}
}
