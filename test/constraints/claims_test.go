package constraints

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
	resourcev1 "k8s.io/api/resource/v1"
	storagev1 "k8s.io/api/storage/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"muster.sh/muster/test/testcluster"
)

// volumes has local volumes on the last three nodes, one each, for three members
// with a claim each, that is bound only when a pod wants it.
func volumes(s *story) {
	const class = "local"
	_, err := s.Client().StorageV1().StorageClasses().Create(s.ctx, &storagev1.StorageClass{
		ObjectMeta: metav1.ObjectMeta{Name: class}, Provisioner: "kubernetes.io/no-provisioner",
		VolumeBindingMode: ptr.To(storagev1.VolumeBindingWaitForFirstConsumer),
	}, metav1.CreateOptions{})
	s.must(err)
	size := corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("1Gi")}
	for i, node := range s.node[nodes-3:] {
		_, err := s.Client().CoreV1().PersistentVolumes().Create(s.ctx, localVolume(node, class, size), metav1.CreateOptions{})
		s.must(err)
		_, err = s.Client().CoreV1().PersistentVolumeClaims(testcluster.Namespace).Create(s.ctx, &corev1.PersistentVolumeClaim{
			ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("volumes-%d", i)},
			Spec: corev1.PersistentVolumeClaimSpec{
				StorageClassName: ptr.To(class), AccessModes: []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce},
				Resources: corev1.VolumeResourceRequirements{Requests: size},
			},
		}, metav1.CreateOptions{})
		s.must(err)
	}
	s.gang("volumes", 3, func(p *corev1.Pod) {
		p.Spec.Volumes = []corev1.Volume{{Name: "data", VolumeSource: corev1.VolumeSource{
			PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: p.Name},
		}}}
	})
	on := s.placed("volumes", 3)
	s.oneEach(on, 3)
	for _, node := range s.node[:nodes-3] {
		if on[node] > 0 {
			s.Errorf("a member is on %s, where there is no volume", node)
		}
	}
}

func localVolume(node, class string, size corev1.ResourceList) *corev1.PersistentVolume {
	return &corev1.PersistentVolume{
		ObjectMeta: metav1.ObjectMeta{Name: "on-" + node},
		Spec: corev1.PersistentVolumeSpec{
			Capacity: size, AccessModes: []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce}, StorageClassName: class,
			PersistentVolumeReclaimPolicy: corev1.PersistentVolumeReclaimDelete,
			PersistentVolumeSource:        corev1.PersistentVolumeSource{Local: &corev1.LocalVolumeSource{Path: "/mnt"}},
			NodeAffinity: &corev1.VolumeNodeAffinity{Required: &corev1.NodeSelector{NodeSelectorTerms: []corev1.NodeSelectorTerm{{
				MatchExpressions: []corev1.NodeSelectorRequirement{{Key: corev1.LabelHostname, Operator: corev1.NodeSelectorOpIn, Values: []string{node}}},
			}}}},
		},
	}
}

// devices has two devices on each of the first two nodes, for four members with a
// claim each. There is no driver: nobody has to prepare them on simulated nodes.
func devices(s *story) {
	const driver = "devices.example.com"
	api := s.Client().ResourceV1()
	_, err := api.DeviceClasses().Create(s.ctx, &resourcev1.DeviceClass{
		ObjectMeta: metav1.ObjectMeta{Name: driver},
		Spec: resourcev1.DeviceClassSpec{Selectors: []resourcev1.DeviceSelector{{
			CEL: &resourcev1.CELDeviceSelector{Expression: fmt.Sprintf("device.driver == %q", driver)},
		}}},
	}, metav1.CreateOptions{})
	s.must(err)
	for _, node := range s.node[:2] {
		_, err := api.ResourceSlices().Create(s.ctx, &resourcev1.ResourceSlice{
			ObjectMeta: metav1.ObjectMeta{Name: node},
			Spec: resourcev1.ResourceSliceSpec{
				Driver: driver, NodeName: ptr.To(node), Pool: resourcev1.ResourcePool{Name: node, ResourceSliceCount: 1},
				Devices: []resourcev1.Device{{Name: "first"}, {Name: "second"}},
			},
		}, metav1.CreateOptions{})
		s.must(err)
	}
	_, err = api.ResourceClaimTemplates(testcluster.Namespace).Create(s.ctx, &resourcev1.ResourceClaimTemplate{
		ObjectMeta: metav1.ObjectMeta{Name: "device"},
		Spec: resourcev1.ResourceClaimTemplateSpec{Spec: resourcev1.ResourceClaimSpec{Devices: resourcev1.DeviceClaim{
			Requests: []resourcev1.DeviceRequest{{Name: "one", Exactly: &resourcev1.ExactDeviceRequest{DeviceClassName: driver}}},
		}}},
	}, metav1.CreateOptions{})
	s.must(err)
	s.gang("devices", 4, func(p *corev1.Pod) {
		p.Spec.ResourceClaims = []corev1.PodResourceClaim{{Name: "device", ResourceClaimTemplateName: ptr.To("device")}}
		p.Spec.Containers[0].Resources.Claims = []corev1.ResourceClaim{{Name: "device"}}
	})
	on := s.placed("devices", 4)
	if on[s.node[0]] != 2 || on[s.node[1]] != 2 {
		s.Errorf("they are on %v, want two on each of %v", on, s.node[:2])
	}
}
