package failingvolume

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	watchtools "k8s.io/client-go/tools/watch"

	"muster.sh/muster/test/testcluster"
)

const (
	claimName = "data"
	className = "unlucky"
	// selectedNode is where the scheduler wants the volume; a provisioner that
	// can't make it there takes the annotation away.
	selectedNode = "volume.kubernetes.io/selected-node"
)

// provisioner makes one volume, after it has refused a few times.
type provisioner struct {
	client    kubernetes.Interface
	failures  int
	succeeded time.Time // when it began to make the volume
}

func (p *provisioner) createClaim(ctx context.Context) error {
	late := storagev1.VolumeBindingWaitForFirstConsumer
	class := &storagev1.StorageClass{
		ObjectMeta:        metav1.ObjectMeta{Name: className},
		Provisioner:       "muster.test/unlucky",
		VolumeBindingMode: &late,
	}
	if _, err := p.client.StorageV1().StorageClasses().Create(ctx, class, metav1.CreateOptions{}); err != nil {
		return fmt.Errorf("create storage class: %w", err)
	}
	name := className
	claim := &corev1.PersistentVolumeClaim{
		ObjectMeta: metav1.ObjectMeta{Name: claimName},
		Spec: corev1.PersistentVolumeClaimSpec{
			StorageClassName: &name,
			AccessModes:      []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce},
			Resources:        corev1.VolumeResourceRequirements{Requests: oneGi()},
		},
	}
	claims := p.client.CoreV1().PersistentVolumeClaims(testcluster.Namespace)
	if _, err := claims.Create(ctx, claim, metav1.CreateOptions{}); err != nil {
		return fmt.Errorf("create claim: %w", err)
	}
	return nil
}

func oneGi() corev1.ResourceList {
	return corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("1Gi")}
}

// run refuses each node that the scheduler selects until it has failed often
// enough, then makes the volume.
func (p *provisioner) run(ctx context.Context) error {
	claims := cache.NewListWatchFromClient(p.client.CoreV1().RESTClient(), "persistentvolumeclaims",
		testcluster.Namespace, fields.OneTermEqualSelector("metadata.name", claimName))
	refused := 0
	_, err := watchtools.UntilWithSync(ctx, claims, &corev1.PersistentVolumeClaim{}, nil, func(event watch.Event) (bool, error) {
		claim, ok := event.Object.(*corev1.PersistentVolumeClaim)
		if !ok || claim.Annotations[selectedNode] == "" {
			return false, nil
		}
		if refused == p.failures {
			return true, p.provision(ctx, claim)
		}
		refused++
		return false, p.refuse(ctx)
	})
	if err != nil {
		return fmt.Errorf("provision the volume, refused %d of %d times: %w", refused, p.failures, err)
	}
	return nil
}

func (p *provisioner) refuse(ctx context.Context) error {
	patch := fmt.Appendf(nil, `{"metadata":{"annotations":{%q:null}}}`, selectedNode)
	_, err := p.client.CoreV1().PersistentVolumeClaims(testcluster.Namespace).
		Patch(ctx, claimName, types.MergePatchType, patch, metav1.PatchOptions{})
	if err != nil {
		return fmt.Errorf("refuse: %w", err)
	}
	return nil
}

func (p *provisioner) provision(ctx context.Context, claim *corev1.PersistentVolumeClaim) error {
	p.succeeded = time.Now()
	volume := &corev1.PersistentVolume{
		ObjectMeta: metav1.ObjectMeta{Name: "volume-of-" + claimName},
		Spec: corev1.PersistentVolumeSpec{
			StorageClassName: className,
			AccessModes:      claim.Spec.AccessModes,
			Capacity:         oneGi(),
			ClaimRef: &corev1.ObjectReference{
				APIVersion: "v1", Kind: "PersistentVolumeClaim",
				Namespace: claim.Namespace, Name: claim.Name, UID: claim.UID,
			},
			PersistentVolumeSource: corev1.PersistentVolumeSource{HostPath: &corev1.HostPathVolumeSource{Path: "/simulated"}},
		},
	}
	if _, err := p.client.CoreV1().PersistentVolumes().Create(ctx, volume, metav1.CreateOptions{}); err != nil {
		return fmt.Errorf("create volume: %w", err)
	}
	return nil
}
