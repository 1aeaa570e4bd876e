package numaguest

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apiresource "k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	kubeletconfig "k8s.io/kubelet/config/v1beta1"
	"k8s.io/utils/ptr"

	"muster.sh/muster/internal/localcluster"
	"muster.sh/muster/internal/localcluster/gobuild"
	"muster.sh/muster/internal/localcluster/guest"
	"muster.sh/muster/internal/localcluster/node"
	"muster.sh/muster/test/testcluster"
)

// nodeName is the guest's. It has two zones of four CPUs and 2 GiB, of which the first
// CPU and a little memory are the system's, and two devices near each zone.
const (
	nodeName   = "guest"
	deviceName = "example.com/accelerator"
)

// startGuest starts the node, with programs that pods run, and waits until the kubelet
// knows its devices.
func startGuest(ctx context.Context, t *testing.T, c *testcluster.Cluster, programs map[string]string) {
	t.Helper()
	if err := c.StartGuest(ctx, localcluster.GuestSpec{
		Name:     nodeName,
		Hardware: guest.Hardware{NUMANodes: 2, CPUs: 4, MemoryMiB: 2048},
		Kubelet:  alignStrictly,
		Programs: programs,
	}); err != nil {
		t.Fatal(err)
	}
	runDaemon(ctx, t, c, daemon("deviceplugin", deviceName, "0", "0", "1", "1"))
	awaitDevices(ctx, t, c)
}

// alignStrictly has the kubelet give whole CPUs and memory of one zone, or refuse. What
// the memory manager reserves must be what is reserved for the system and kept free.
//
// The kubelet rarely moves the containers that share CPUs out of the way of others,
// which is a process for each of them at every change, and serves nobody here: they are
// idle.
func alignStrictly(k *kubeletconfig.KubeletConfiguration) {
	k.CPUManagerPolicy = "static"
	k.CPUManagerReconcilePeriod = metav1.Duration{Duration: time.Hour}
	k.ReservedSystemCPUs = guest.SystemCPU
	k.TopologyManagerPolicy = "single-numa-node"
	k.MemoryManagerPolicy = "Static"
	k.SystemReserved = map[string]string{"memory": "150Mi"}
	k.EvictionHard["memory.available"] = "50Mi"
	k.ReservedMemory = []kubeletconfig.MemoryReservation{{
		NumaNode: 0, Limits: corev1.ResourceList{corev1.ResourceMemory: apiresource.MustParse("200Mi")},
	}}
}

// buildPrograms builds the programs of this test that run in the guest, and returns
// their files by their names.
func buildPrograms(ctx context.Context, t *testing.T) map[string]string {
	t.Helper()
	dir := t.TempDir()
	build := gobuild.Build{
		Env: []string{"CGO_ENABLED=0"}, Args: []string{"-ldflags=-s -w", "-o", dir + "/"},
		Packages: []string{"./programs/..."},
	}
	if err := build.Run(ctx); err != nil {
		t.Fatal(err)
	}
	return map[string]string{
		"deviceplugin": filepath.Join(dir, "deviceplugin"),
		"work":         filepath.Join(dir, "work"),
	}
}

// daemon is a pod of the node's own, with the kubelet's folders and configuration.
func daemon(program string, args ...string) *corev1.Pod {
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: metav1.NamespaceSystem, Name: program},
		Spec:       corev1.PodSpec{NodeName: nodeName, Containers: []corev1.Container{container("main", program, args...)}},
	}
	runInGuest(&pod.Spec)
	pod.Spec.Containers[0].Env = []corev1.EnvVar{{Name: "NODE_NAME", Value: nodeName}}
	for _, path := range []string{"/var/lib/kubelet", "/etc/muster"} {
		showHostPath(&pod.Spec, path)
	}
	return pod
}

// container runs a program of the guest's. The image has nothing in it that matters:
// to unpack others takes an emulated machine long.
func container(name, program string, args ...string) corev1.Container {
	return corev1.Container{
		Name: name, Image: node.PauseImage,
		Command: append([]string{filepath.Join(guest.ProgramsDir, program)}, args...),
	}
}

// runInGuest makes a pod one that can run in the guest, where there are no tokens of
// service accounts, for want of a mount program, and no network of pods.
func runInGuest(spec *corev1.PodSpec) {
	spec.HostNetwork = true
	spec.AutomountServiceAccountToken = ptr.To(false)
	showHostPath(spec, guest.ProgramsDir)
}

// showHostPath shows all of a pod's containers a folder of the node.
func showHostPath(spec *corev1.PodSpec, path string) {
	name := fmt.Sprint("folder-", len(spec.Volumes))
	spec.Volumes = append(spec.Volumes, corev1.Volume{
		Name:         name,
		VolumeSource: corev1.VolumeSource{HostPath: &corev1.HostPathVolumeSource{Path: path}},
	})
	for i := range spec.Containers {
		mounts := &spec.Containers[i].VolumeMounts
		*mounts = append(*mounts, corev1.VolumeMount{Name: name, MountPath: path})
	}
}

func runDaemon(ctx context.Context, t *testing.T, c *testcluster.Cluster, pod *corev1.Pod) {
	t.Helper()
	if err := c.CreatePod(ctx, pod); err != nil {
		t.Fatal(err)
	}
}

func awaitDevices(ctx context.Context, t *testing.T, c *testcluster.Cluster) {
	t.Helper()
	err := c.AwaitGlobal(ctx, corev1.SchemeGroupVersion.WithResource("nodes"), nodeName, "it has devices", func(u *unstructured.Unstructured) bool {
		n, _, _ := unstructured.NestedString(u.Object, "status", "allocatable", deviceName)
		return n == "4"
	})
	if err != nil {
		t.Fatal(err)
	}
}
