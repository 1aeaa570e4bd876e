// Command deviceplugin offers devices that there are not to the kubelet: it is told
// the resource's name, and of each device the number of the NUMA node that it is near.
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"strconv"

	"k8s.io/klog/v2"
	pluginapi "k8s.io/kubelet/pkg/apis/deviceplugin/v1beta1"
	plugin "k8s.io/kubernetes/pkg/kubelet/cm/devicemanager/plugin/v1beta1"
)

func main() {
	if len(os.Args) < 3 {
		log.Fatal("usage: deviceplugin RESOURCE NODE...")
	}
	if err := serve(context.Background(), os.Args[1], os.Args[2:]); err != nil {
		log.Fatal(err)
	}
	select {}
}

func serve(ctx context.Context, resource string, nodes []string) error {
	var devices []*pluginapi.Device
	for i, node := range nodes {
		id, err := strconv.ParseInt(node, 10, 64)
		if err != nil {
			return fmt.Errorf("device %d: %w", i, err)
		}
		devices = append(devices, &pluginapi.Device{
			ID: fmt.Sprint("device-", i), Health: pluginapi.Healthy,
			Topology: &pluginapi.TopologyInfo{Nodes: []*pluginapi.NUMANode{{ID: id}}},
		})
	}
	socket := filepath.Join(pluginapi.DevicePluginPath, filepath.Base(resource)+".sock")
	stub := plugin.NewDevicePluginStub(klog.Background(), devices, socket, resource, false, false)
	stub.SetAllocFunc(allocate)
	if err := stub.Start(ctx); err != nil {
		return fmt.Errorf("serve the kubelet: %w", err)
	}
	if err := stub.Register(ctx, pluginapi.KubeletSocket, resource, ""); err != nil {
		return fmt.Errorf("register with the kubelet: %w", err)
	}
	return nil
}

// allocate gives containers nothing: there are no devices.
func allocate(r *pluginapi.AllocateRequest, _ map[string]*pluginapi.Device) (*pluginapi.AllocateResponse, error) {
	answer := &pluginapi.AllocateResponse{}
	for range r.ContainerRequests {
		answer.ContainerResponses = append(answer.ContainerResponses, &pluginapi.ContainerAllocateResponse{})
	}
	return answer, nil
}
