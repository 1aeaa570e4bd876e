package operator

import (
	"fmt"
	"time"

	"github.com/kubeflow/spark-operator/v2/api/v1beta2"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"muster.sh/muster/internal/localcluster/sparkactor"
)

const (
	// podsEach is how many pods an application has: a driver, and an executor.
	podsEach = 2
	// work is how long the executor of an application works that is measured.
	work = 5 * time.Second
	// forever is how long one works that is only to be live.
	forever = 24 * time.Hour
	// nowhere is a label of nodes that none has.
	nowhere = "muster.sh/nowhere"
)

// The kinds of applications, by which their names begin.
const (
	kindLive     = "live"
	kindMeasured = "app"
	// kindWaiting are those whose drivers find no node.
	kindWaiting = "waiting"
)

// application is one with an executor that works for a time. Its pods are kube-scheduler's,
// whichever operator it is for.
func application(kind string, i int, works time.Duration) *v1beta2.SparkApplication {
	pod := v1beta2.SparkPodSpec{Cores: ptr.To[int32](1), Memory: ptr.To("512m")}
	if kind == kindWaiting {
		pod.NodeSelector = map[string]string{nowhere: "true"}
	}
	return &v1beta2.SparkApplication{
		ObjectMeta: metav1.ObjectMeta{Namespace: tenant(i), Name: fmt.Sprintf("%s-%04d", kind, i)},
		Spec: v1beta2.SparkApplicationSpec{
			Type: v1beta2.SparkApplicationTypeScala, Mode: v1beta2.DeployModeCluster, SparkVersion: "4.3.0", Image: ptr.To("spark"),
			MainClass: ptr.To("Main"), MainApplicationFile: ptr.To("local:///main.jar"),
			RestartPolicy: v1beta2.RestartPolicy{
				Type: v1beta2.RestartPolicyOnFailure, OnFailureRetries: ptr.To[int32](0), OnFailureRetryInterval: ptr.To[int64](1),
				// Spark's client gives up after ten seconds, which a machine with few cores may
				// need. Trying again counts as the operator's work.
				OnSubmissionFailureRetries: ptr.To[int32](100), OnSubmissionFailureRetryInterval: ptr.To[int64](1),
			},
			SparkConf: map[string]string{
				"spark.kubernetes.scheduler.name": corev1.DefaultSchedulerName,
				sparkactor.KeyDuration:            works.String(),
			},
			Driver:   v1beta2.DriverSpec{SparkPodSpec: *pod.DeepCopy()},
			Executor: v1beta2.ExecutorSpec{SparkPodSpec: pod, Instances: ptr.To[int32](1)},
		},
	}
}
