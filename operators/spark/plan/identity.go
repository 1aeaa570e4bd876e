package plan

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/kubeflow/spark-operator/v2/api/v1beta2"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"muster.sh/muster/operators/spark/submission"
)

// Submission identifies one submission of an application.
type Submission struct {
	// ID is the value of the label submission-id on pods.
	ID string
	submission.Identity
}

// NewSubmission identifies a submission by its application and number, and when it
// began. The same ones are always the same submission, so that one which was cut off
// goes on where it was.
func NewSubmission(app types.UID, number int32, began time.Time) Submission {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s/%d/%d", app, number, began.Unix()))
	digits := hex.EncodeToString(sum[:])
	return Submission{
		ID: fmt.Sprintf("%s-%s-%s-%s-%s", digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:32]),
		Identity: submission.Identity{
			AppID:      "spark-" + digits[:32],
			UniqueID:   digits[32:48],
			SubmitTime: began,
		},
	}
}

// DriverPodName is the name of an application's driver, the same for each of its
// submissions: there can't be two at a time.
func DriverPodName(app *v1beta2.SparkApplication) string {
	if name := text(app.Spec.Driver.PodName); name != "" {
		return name
	}
	if name := app.Spec.SparkConf[keyDriverPodName]; name != "" {
		return name
	}
	return app.Name + "-driver"
}

func ownerReference(app *v1beta2.SparkApplication) metav1.OwnerReference {
	return *metav1.NewControllerRef(app, v1beta2.SchemeGroupVersion.WithKind("SparkApplication"))
}
