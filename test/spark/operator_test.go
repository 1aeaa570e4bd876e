package spark

import (
	"fmt"
	"strings"

	"github.com/kubeflow/spark-operator/v2/api/v1beta2"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"muster.sh/muster/api/v1alpha1"
	"muster.sh/muster/internal/sparksubmit"
	"muster.sh/muster/test/testcluster"
)

// sparkApplication lets the operator submit, which has no JVM: real Spark has to be
// content with what it makes, tells how far it has come, and what it did when it has
// ended.
func sparkApplication(s *story) {
	defer s.deployHistoryServer()()
	a := application{name: "operated", executors: full, steps: []int{full}}
	s.prepare(a)
	apps, app := s.SparkClient(s.T), s.sparkApplication(a)
	app.Spec.SparkConf["spark.ui.enabled"] = "true" // which tells of progress
	tellsEvents(app)
	s.must(apps.Create(s.ctx, app))
	leave := s.meet(a, 0)
	testcluster.AwaitSparkApplication(s.ctx, s.T, apps, client.ObjectKeyFromObject(app), v1beta2.ApplicationStateRunning)
	told := fmt.Sprintf("jobs 0/1, stages 0/1, tasks 0/%d", full)
	testcluster.AwaitSparkApplicationThat(s.ctx, s.T, apps, client.ObjectKeyFromObject(app), "has begun its tasks", func(app *v1beta2.SparkApplication) bool {
		return app.Annotations[v1alpha1.ProgressAnnotation] == told
	})
	log := s.follow(a.name)
	s.requireSays("Successfully registered with driver", "logs", a.name, "--executor", "1")
	ui, awaitEndOfUI := s.openUI(a.name)
	if page := s.page(ui + "/jobs/"); !strings.Contains(page, a.name+" - Spark Jobs") {
		s.Errorf("the driver's page is\n%s", page)
	}
	leave()
	ended := testcluster.AwaitSparkApplication(s.ctx, s.T, apps, client.ObjectKeyFromObject(app), v1beta2.ApplicationStateCompleted)
	if len(ended.Status.ExecutorState) != full {
		s.Errorf("the status tells of executors %v, not of %d", ended.Status.ExecutorState, full)
	}
	s.requireResults(ended.Status.DriverInfo.PodName, a)
	s.requireResultsIn(log(), a)
	awaitEndOfUI()
	s.requireHistory(ended)
	s.must(apps.Delete(s.ctx, app))
}

// sparkApplication is an application as a user would write it, with the settings that
// spark-submit is given elsewhere.
func (s *stage) sparkApplication(a application) *v1beta2.SparkApplication {
	app := &v1beta2.SparkApplication{
		ObjectMeta: metav1.ObjectMeta{Name: a.name, Namespace: namespace},
		Spec: v1beta2.SparkApplicationSpec{
			Type: v1beta2.SparkApplicationTypePython, Mode: v1beta2.DeployModeCluster, SparkVersion: s.spark.Dist.Version,
			MainApplicationFile: ptr.To("local://" + s.inPods("parts.py")), Arguments: s.arguments(a),
			SparkConf: map[string]string{},
		},
	}
	app.Spec.Driver.ServiceAccount = ptr.To(sparksubmit.DriverAccount)
	for _, setting := range append(sparksubmit.Frugal(s.spark.Dist.ImageName), s.settings(a)...) {
		app.Spec.SparkConf[setting.Key] = setting.Value
	}
	return app
}
