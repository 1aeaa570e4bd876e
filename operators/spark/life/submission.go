package life

import (
	"fmt"
	"strings"
	"time"

	"github.com/kubeflow/spark-operator/v2/api/v1beta2"
	"github.com/kubeflow/spark-operator/v2/pkg/common"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"muster.sh/muster/operators/spark/plan"
)

// Submitted is the step after all objects of a submission have been created.
func Submitted(app *v1beta2.SparkApplication, p plan.Plan) Step {
	status := *app.Status.DeepCopy()
	status.AppState = v1beta2.ApplicationState{State: v1beta2.ApplicationStateSubmitted}
	status.ExecutionAttempts++
	status.SparkApplicationID = plan.NewSubmission(app).AppID
	driver, service := &status.DriverInfo, p.WebUI.Service
	driver.WebUIServiceName, driver.WebUIPort = service.Name, service.Spec.Ports[0].Port
	if address := service.Spec.ClusterIP; address != "" {
		driver.WebUIAddress = fmt.Sprintf("%s:%d", address, driver.WebUIPort)
	}
	if ingress := p.WebUI.Ingress; ingress != nil {
		driver.WebUIIngressName, driver.WebUIIngressAddress = ingress.Name, p.WebUI.URL
	}
	step := Step{Status: status, Events: []Event{{
		corev1.EventTypeNormal, common.EventSparkApplicationSubmitted, fmt.Sprintf("SparkApplication %s was submitted successfully", app.Name),
	}}}
	if len(p.Notes) > 0 {
		step.Events = append(step.Events, Event{corev1.EventTypeWarning, "SparkApplicationFieldIgnored", strings.Join(p.Notes, "; ")})
	}
	return step
}

// Failed is the step after a submission that came to nothing. If forGood is set, no
// other try can end differently.
func Failed(app *v1beta2.SparkApplication, why error, forGood bool, now time.Time) Step {
	status := *app.Status.DeepCopy()
	status.AppState = v1beta2.ApplicationState{State: v1beta2.ApplicationStateFailedSubmission, ErrorMessage: why.Error()}
	if forGood {
		status.AppState.State = v1beta2.ApplicationStateFailed
		status.TerminationTime = metav1.NewTime(now)
	}
	return Step{Status: status, Events: []Event{{
		corev1.EventTypeWarning, common.EventSparkApplicationSubmissionFailed, fmt.Sprintf("failed to submit SparkApplication %s: %v", app.Name, why),
	}}}
}
