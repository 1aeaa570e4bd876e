package plan

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"

	"github.com/kubeflow/spark-operator/v2/api/v1beta2"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"muster.sh/muster/operators/spark/submission"
)

// Submission identifies one submission of an application.
type Submission struct {
	// ID is the value of the label submission-id on pods.
	ID string
	submission.Identity
}

// NewSubmission identifies the submission that an application's status tells of, by its
// number, when it began, and what was to be submitted. The same one always has the same
// identity, so that one which was cut off goes on where it was.
func NewSubmission(app *v1beta2.SparkApplication) Submission {
	began := app.Status.LastSubmissionAttemptTime.Time
	sum := sha256.Sum256(fmt.Appendf(nil, "%s/%d/%d/%s", app.UID, app.Status.SubmissionAttempts, began.Unix(), toSubmit(&app.Spec)))
	digits := hex.EncodeToString(sum[:])
	generation, known := generationOf(app.Status.SubmissionID)
	if !known {
		generation = app.Generation
	}
	return Submission{
		// It has the form of a UUID, with the version that lets its maker choose the digits.
		ID: fmt.Sprintf("%s-%s-8%s-8%s-%012x", digits[:8], digits[8:12], digits[12:15], digits[15:18], generation),
		Identity: submission.Identity{
			AppID:      "spark-" + digits[:32],
			UniqueID:   digits[32:48],
			SubmitTime: began,
		},
	}
}

var idPattern = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-8[0-9a-f]{3}-([0-9a-f]{12})$`)

// generationOf is the generation of an application that a submission was made of. It is
// unknown for a submission of another operator's.
func generationOf(id string) (generation int64, known bool) {
	match := idPattern.FindStringSubmatch(id)
	if match == nil {
		return 0, false
	}
	generation, err := strconv.ParseInt(match[1], 16, 64)
	return generation, err == nil
}

// Edited says that an application is no longer what its status says was submitted. It
// is false for a submission of another operator's, which can't be told, and for one that
// nobody has written to since: another version of this program may read other fields.
func Edited(app *v1beta2.SparkApplication) bool {
	generation, known := generationOf(app.Status.SubmissionID)
	return known && generation != app.Generation && app.Status.SubmissionID != NewSubmission(app).ID
}

// toSubmit is what of a specification decides about a submission. The rest may be
// edited while the application runs.
func toSubmit(spec *v1beta2.SparkApplicationSpec) []byte {
	decides := spec.DeepCopy()
	decides.Suspend, decides.TimeToLiveSeconds = nil, nil
	decides.RestartPolicy, decides.FailureRetries, decides.RetryInterval = v1beta2.RestartPolicy{}, nil, nil
	text, err := json.Marshal(decides)
	if err != nil {
		panic(fmt.Sprintf("a specification that came as JSON can't be written as JSON: %v", err))
	}
	return text
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
