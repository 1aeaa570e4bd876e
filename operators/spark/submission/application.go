package submission

import (
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/utils/ptr"

	"muster.sh/muster/internal/sparkconf"
)

// Application is what is submitted.
type Application struct {
	// SparkVersion is the version of Spark in the image, such as 4.3.0.
	SparkVersion string
	// Properties are Spark's settings.
	Properties sparkconf.Properties
	// MainClass is needed by programs in Java and Scala alone.
	MainClass string
	// Resource is the program. As with spark-submit its ending tells the language; it
	// is empty if the class is in the image.
	Resource string
	// Args are the program's arguments.
	Args []string
	// ProxyUser is the user in whose name the driver acts, if any.
	ProxyUser string
	// User is the name of the submitting user, which Hadoop's file systems see.
	User string
	// DriverTemplate is a pod that the driver's pod begins as, or nil.
	DriverTemplate *corev1.Pod
	// ExecutorTemplate is the text of a pod that executors' pods begin as, or empty.
	ExecutorTemplate string
}

// Identity is what is new with each submission.
type Identity struct {
	// AppID is the value of the label by which all pods of the application are known,
	// spark- and 32 hexadecimal digits.
	AppID string
	// UniqueID is a part of objects' names, 16 hexadecimal digits.
	UniqueID string
	// SubmitTime is when the application was submitted.
	SubmitTime time.Time
}

// Object is an object of the API.
type Object interface {
	metav1.Object
	runtime.Object
}

// Objects are what a submission creates.
type Objects struct {
	// Driver is created first.
	Driver *corev1.Pod
	// Owned are the others, which belong to the driver's pod and end with it; see
	// [Own].
	Owned []Object
}

// Own makes an object belong to the driver's pod, as it was created.
func Own(object Object, driver *corev1.Pod) {
	object.SetOwnerReferences([]metav1.OwnerReference{{
		APIVersion: "v1", Kind: "Pod", Name: driver.Name, UID: driver.UID, Controller: ptr.To(true),
	}})
}
