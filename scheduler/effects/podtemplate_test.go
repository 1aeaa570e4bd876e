package effects

import (
	"reflect"
	"testing"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/runtime"
	clienttesting "k8s.io/client-go/testing"

	"muster.sh/muster/scheduler/gang"
	own "muster.sh/muster/scheduler/resource"
)

func requests(cpu string) v1.ResourceRequirements {
	return v1.ResourceRequirements{Requests: v1.ResourceList{v1.ResourceCPU: resource.MustParse(cpu)}}
}

// noticed tells of calls that it lets pass.
func noticed(made chan<- struct{}) clienttesting.ReactionFunc {
	return func(clienttesting.Action) (bool, runtime.Object, error) {
		made <- struct{}{}
		return false, nil, nil
	}
}

func TestATemplateKeepsWhatAPodNeedsAndNoneOfItsSecrets(t *testing.T) {
	always := v1.ContainerRestartPolicyAlways
	affinity := &v1.Affinity{PodAntiAffinity: &v1.PodAntiAffinity{}}
	claim := v1.Volume{Name: "data", VolumeSource: v1.VolumeSource{PersistentVolumeClaim: &v1.PersistentVolumeClaimVolumeSource{ClaimName: "data"}}}
	got := needsOf(&v1.PodSpec{
		ServiceAccountName: "boss", NodeName: "n1", SchedulerName: "muster",
		NodeSelector: map[string]string{"zone": "a"}, Affinity: affinity,
		Volumes: []v1.Volume{claim, {Name: "keys", VolumeSource: v1.VolumeSource{Secret: &v1.SecretVolumeSource{SecretName: "keys"}}}},
		Containers: []v1.Container{{
			Name: "main", Image: "private/image", Command: []string{"run"}, Env: []v1.EnvVar{{Name: "PASSWORD", Value: "x"}},
			VolumeMounts: []v1.VolumeMount{{Name: "keys"}}, Resources: requests("1"),
			Ports: []v1.ContainerPort{{ContainerPort: 80}, {ContainerPort: 81, HostPort: 81}},
		}},
		InitContainers:  []v1.Container{{Name: "side", RestartPolicy: &always, Resources: requests("2")}},
		ResourceClaims:  []v1.PodResourceClaim{{Name: "gpu"}},
		SchedulingGates: []v1.PodSchedulingGate{{Name: "x"}},
	})
	want := v1.PodSpec{
		NodeSelector: map[string]string{"zone": "a"}, Affinity: affinity, Volumes: []v1.Volume{claim},
		Containers: []v1.Container{{
			Name: "main", Image: noImage, Resources: requests("1"), Ports: []v1.ContainerPort{{ContainerPort: 81, HostPort: 81}},
		}},
		InitContainers: []v1.Container{{Name: "side", Image: noImage, RestartPolicy: &always, Resources: requests("2")}},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v\nwant %+v", got, want)
	}
}

func TestATemplateOfAnExpectedMemberNeedsWhatItsShapeSays(t *testing.T) {
	got := needsOfShape(&gang.Shape{
		Request: own.Vector{MilliCPU: 1500, Memory: 2 << 30, Storage: 1 << 30, Pods: 1}.With("example.com/gpu", 2),
		Affinity: []gang.Term{
			{{Key: "zone", Operator: gang.In, Values: []string{"a"}}, {Key: "metadata.name", Operator: gang.NotIn, Values: []string{"n1"}, Field: true}},
			{{Key: "fast", Operator: gang.Exists}},
		},
		Tolerations: []gang.Toleration{{Key: "gpu", AnyValue: true}, {Key: "team", Value: "x", Effect: gang.NoSchedule}},
		HostPorts:   []string{"TCP/0.0.0.0/81"},
	})
	gpus := resource.MustParse("2")
	want := v1.PodSpec{
		Containers: []v1.Container{{
			Name: "member", Image: noImage, Ports: []v1.ContainerPort{{Protocol: v1.ProtocolTCP, HostIP: "0.0.0.0", HostPort: 81, ContainerPort: 81}},
			Resources: v1.ResourceRequirements{
				Requests: v1.ResourceList{
					"cpu": resource.MustParse("1500m"), "memory": resource.MustParse("2Gi"), "ephemeral-storage": resource.MustParse("1Gi"), "example.com/gpu": gpus,
				},
				Limits: v1.ResourceList{"example.com/gpu": gpus},
			},
		}},
		Tolerations: []v1.Toleration{
			{Key: "gpu", Operator: v1.TolerationOpExists},
			{Key: "team", Operator: v1.TolerationOpEqual, Value: "x", Effect: v1.TaintEffectNoSchedule},
		},
		Affinity: &v1.Affinity{NodeAffinity: &v1.NodeAffinity{RequiredDuringSchedulingIgnoredDuringExecution: &v1.NodeSelector{NodeSelectorTerms: []v1.NodeSelectorTerm{
			{
				MatchExpressions: []v1.NodeSelectorRequirement{{Key: "zone", Operator: v1.NodeSelectorOpIn, Values: []string{"a"}}},
				MatchFields:      []v1.NodeSelectorRequirement{{Key: "metadata.name", Operator: v1.NodeSelectorOpNotIn, Values: []string{"n1"}}},
			},
			{MatchExpressions: []v1.NodeSelectorRequirement{{Key: "fast", Operator: v1.NodeSelectorOpExists}}},
		}}}},
	}
	if !equality.Semantic.DeepEqual(got, want) {
		t.Errorf("got %+v\nwant %+v", got, want)
	}
}
