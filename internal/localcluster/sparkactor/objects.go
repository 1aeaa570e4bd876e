package sparkactor

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"maps"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"muster.sh/muster/internal/sparkconf"
)

const (
	labelAppName    = "spark-app-name"
	labelExecutorID = "spark-exec-id"
	labelProfileID  = "spark-exec-resourceprofile-id"
	labelSimulated  = "muster.sh/simulated"
)

// executorPod is the pod that a driver creates for an executor.
func executorPod(driver *corev1.Pod, c conf, prefix string, id int) *corev1.Pod {
	name := fmt.Sprintf("%s-exec-%d", prefix, id)
	number := strconv.Itoa(id)
	spec := *c.pod.DeepCopy()
	spec.Hostname = name
	spec.RestartPolicy = corev1.RestartPolicyNever
	spec.ServiceAccountName = driver.Spec.ServiceAccountName
	for i := range spec.Containers {
		container := &spec.Containers[i]
		if container.Image == "" {
			container.Image = driver.Spec.Containers[0].Image
		}
		if container.Name == "" {
			container.Name = "spark-kubernetes-executor"
		}
	}
	spark := &spec.Containers[len(spec.Containers)-1]
	spark.Args = []string{"executor"}
	spark.Env = append(spark.Env,
		corev1.EnvVar{Name: "SPARK_APPLICATION_ID", Value: c.appID},
		corev1.EnvVar{Name: "SPARK_EXECUTOR_ID", Value: number})
	labels := maps.Clone(c.labels)
	maps.Copy(labels, map[string]string{
		labelAppName:           driver.Labels[labelAppName],
		sparkconf.LabelAppID:   c.appID,
		labelExecutorID:        number,
		labelProfileID:         "0",
		sparkconf.LabelRole:    sparkconf.RoleExecutor,
		sparkconf.LabelVersion: driver.Labels[sparkconf.LabelVersion],
		labelSimulated:         "true",
	})
	controller := true
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Name:      name,
			Namespace: driver.Namespace,
			Labels:    labels,
			OwnerReferences: []metav1.OwnerReference{{
				APIVersion: "v1", Kind: "Pod", Name: driver.Name, UID: driver.UID, Controller: &controller,
			}},
		},
		Spec: spec,
	}
}

// uniqueSuffix makes names as Spark does, by sixteen hexadecimal digits.
func uniqueSuffix() string {
	var random [8]byte
	_, _ = rand.Read(random[:]) // crypto/rand never fails
	return hex.EncodeToString(random[:])
}
