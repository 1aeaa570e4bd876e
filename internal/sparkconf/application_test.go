package sparkconf

import (
	"errors"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestExecutorRequests(t *testing.T) {
	for _, test := range []struct {
		name                  string
		props                 Properties
		version               string
		cpu, memory, cpuLimit string
	}{
		{name: "without settings an executor has one core and a heap of 1g with the least overhead",
			cpu: "1", memory: "1408Mi"},
		{name: "the overhead is a tenth of the heap once that is more than 384m",
			props: Properties{"spark.executor.memory": "8g"}, cpu: "1", memory: "9011Mi"},
		{name: "the factor that spark-submit writes for Python applies to executors",
			props: Properties{"spark.executor.memory": "8g", "spark.kubernetes.memoryOverheadFactor": "0.4"}, cpu: "1", memory: "11468Mi"},
		{name: "the executors' own factor goes before the common one",
			props: Properties{"spark.executor.memory": "8g", "spark.kubernetes.memoryOverheadFactor": "0.4", "spark.executor.memoryOverheadFactor": "0.5"},
			cpu:   "1", memory: "12Gi"},
		{name: "an overhead that is set goes before factor and minimum",
			props: Properties{"spark.executor.memoryOverhead": "1m", "spark.executor.memoryOverheadFactor": "0.9"}, cpu: "1", memory: "1025Mi"},
		{name: "the minimum overhead can be set since Spark 4.0",
			props: Properties{"spark.executor.minMemoryOverhead": "1g"}, version: "4.0.1", cpu: "1", memory: "2Gi"},
		{name: "the minimum overhead can't be set before Spark 4.0",
			props: Properties{"spark.executor.minMemoryOverhead": "1g"}, version: "3.5.9", cpu: "1", memory: "1408Mi"},
		{name: "off-heap memory counts when it is enabled",
			props: Properties{"spark.memory.offHeap.enabled": "true", "spark.memory.offHeap.size": "1g"}, cpu: "1", memory: "2432Mi"},
		{name: "off-heap memory doesn't count when it is not enabled",
			props: Properties{"spark.memory.offHeap.size": "1g"}, cpu: "1", memory: "1408Mi"},
		{name: "Python memory counts in a Python application",
			props: Properties{"spark.kubernetes.resource.type": "python", "spark.executor.pyspark.memory": "1g"}, cpu: "1", memory: "2432Mi"},
		{name: "Python memory doesn't count in a JVM application",
			props: Properties{"spark.kubernetes.resource.type": "java", "spark.executor.pyspark.memory": "1g"}, cpu: "1", memory: "1408Mi"},
		{name: "Python memory doesn't count in client mode, where nothing tells the executor of Python",
			props: Properties{"spark.executor.pyspark.memory": "1g"}, cpu: "1", memory: "1408Mi"},
		{name: "the cores are the request if no request is set",
			props: Properties{"spark.executor.cores": "3"}, cpu: "3", memory: "1408Mi"},
		{name: "the request that is set goes before the cores",
			props: Properties{"spark.executor.cores": "3", "spark.kubernetes.executor.request.cores": "500m"}, cpu: "500m", memory: "1408Mi"},
		{name: "a limit is set only if there is a setting for it",
			props: Properties{"spark.kubernetes.executor.limit.cores": "1.5"}, cpu: "1", memory: "1408Mi", cpuLimit: "1500m"},
		{name: "local directories in memory add nothing to requests",
			props: Properties{"spark.kubernetes.local.dirs.tmpfs": "true"}, cpu: "1", memory: "1408Mi"},
	} {
		t.Run(test.name, func(t *testing.T) {
			app, err := Parse(test.props, Inputs{SparkVersion: test.version})
			if err != nil {
				t.Fatal(err)
			}
			want := corev1.ResourceList{"cpu": resource.MustParse(test.cpu), "memory": resource.MustParse(test.memory)}
			requireEqual(t, "requests", PodRequests(&app.ExecutorPod), want)
			limits := corev1.ResourceList{"memory": resource.MustParse(test.memory)}
			if test.cpuLimit != "" {
				limits["cpu"] = resource.MustParse(test.cpuLimit)
			}
			requireEqual(t, "limits", app.ExecutorPod.Containers[0].Resources.Limits, limits)
		})
	}
}

func TestExecutorCounts(t *testing.T) {
	dynamic := func(more Properties) Properties {
		more["spark.dynamicAllocation.enabled"] = "true"
		return more
	}
	for _, test := range []struct {
		name       string
		props      Properties
		floor      int
		annotation string
		want       Executors
	}{
		{name: "an application has two executors by default",
			want: Executors{Min: 2, Max: 2, MinAfterStart: 2}},
		{name: "a fixed number is minimum and maximum at once",
			props: Properties{"spark.executor.instances": "5"}, want: Executors{Min: 5, Max: 5, MinAfterStart: 5}},
		{name: "the floor doesn't raise a fixed number",
			props: Properties{"spark.executor.instances": "1"}, floor: 3, want: Executors{Min: 1, Max: 1, MinAfterStart: 1}},
		{name: "dynamic allocation without settings starts with the floor and has no end",
			props: dynamic(Properties{}), want: Executors{Min: 1, Max: Unlimited, Dynamic: true}},
		{name: "the floor is the administrator's",
			props: dynamic(Properties{}), floor: 3, want: Executors{Min: 3, Max: Unlimited, Dynamic: true}},
		{name: "the floor never goes above the maximum",
			props: dynamic(Properties{"spark.dynamicAllocation.maxExecutors": "2"}), floor: 3, want: Executors{Min: 2, Max: 2, Dynamic: true}},
		{name: "the minimum is the greatest of the three settings, that after the start the least one",
			props: dynamic(Properties{"spark.dynamicAllocation.minExecutors": "2", "spark.dynamicAllocation.initialExecutors": "4", "spark.executor.instances": "3"}),
			want:  Executors{Min: 4, Max: Unlimited, MinAfterStart: 2, Dynamic: true}},
		{name: "an annotation lowers a fixed minimum and leaves the maximum",
			props: Properties{"spark.executor.instances": "5"}, annotation: "2", want: Executors{Min: 2, Max: 5, MinAfterStart: 2}},
		{name: "an annotation raises a dynamic minimum",
			props: dynamic(Properties{"spark.dynamicAllocation.minExecutors": "2"}), annotation: " 7 ",
			want: Executors{Min: 7, Max: Unlimited, MinAfterStart: 2, Dynamic: true}},
		{name: "an annotation can't go below the floor under dynamic allocation",
			props: dynamic(Properties{"spark.dynamicAllocation.minExecutors": "6"}), floor: 3, annotation: "1",
			want: Executors{Min: 3, Max: Unlimited, MinAfterStart: 3, Dynamic: true}},
	} {
		t.Run(test.name, func(t *testing.T) {
			driver := &corev1.Pod{}
			if test.annotation != "" {
				driver.Annotations = map[string]string{AnnotationMinExecutors: test.annotation}
			}
			app, err := Parse(test.props, Inputs{Driver: driver, MinExecutorsFloor: test.floor})
			if err != nil {
				t.Fatal(err)
			}
			requireEqual(t, "executors", app.Executors, test.want)
		})
	}
}

func TestRefusalsNameTheKey(t *testing.T) {
	withAnnotation := func(value string) Inputs {
		return Inputs{Driver: &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Annotations: map[string]string{AnnotationMinExecutors: value}}}}
	}
	for _, test := range []struct {
		name  string
		props Properties
		in    Inputs
		key   string
	}{
		{name: "a heap that is a fraction", props: Properties{"spark.executor.memory": "1.5g"}, key: "spark.executor.memory"},
		{name: "a heap beyond 64 bits", props: Properties{"spark.executor.memory": "99999999999999999999g"}, key: "spark.executor.memory"},
		{name: "a heap beyond all machines", props: Properties{"spark.executor.memory": "2000000t"}, key: "spark.executor.memory"},
		{name: "a factor beyond all machines", props: Properties{"spark.executor.memoryOverheadFactor": "1e300"}, key: "spark.executor.memoryOverheadFactor"},
		{name: "a factor beyond floating point", props: Properties{"spark.executor.memoryOverheadFactor": "1e999"}, key: "spark.executor.memoryOverheadFactor"},
		{name: "an infinite factor", props: Properties{"spark.kubernetes.memoryOverheadFactor": "Infinity"}, key: "spark.kubernetes.memoryOverheadFactor"},
		{name: "an overhead beyond all machines", props: Properties{"spark.executor.memoryOverhead": "9000p"}, key: "spark.executor.memoryOverhead"},
		{name: "a minimum overhead beyond all machines", props: Properties{"spark.executor.minMemoryOverhead": "9000p"}, key: "spark.executor.minMemoryOverhead"},
		{name: "off-heap memory beyond all machines",
			props: Properties{"spark.memory.offHeap.enabled": "true", "spark.memory.offHeap.size": "8000p"}, key: "spark.memory.offHeap.size"},
		{name: "cores beyond all machines", props: Properties{"spark.executor.cores": "2000000000"}, key: "spark.executor.cores"},
		{name: "a request beyond all machines", props: Properties{"spark.kubernetes.executor.request.cores": "5G"}, key: "spark.kubernetes.executor.request.cores"},
		{name: "a request that would take forever to read", props: Properties{"spark.kubernetes.executor.request.cores": "1e-999999999"}, key: "spark.kubernetes.executor.request.cores"},
		{name: "a limit that would take forever to read", props: Properties{"spark.kubernetes.executor.limit.cores": "1e999999999"}, key: "spark.kubernetes.executor.limit.cores"},
		{name: "a limit below the request", props: Properties{"spark.executor.cores": "4", "spark.kubernetes.executor.limit.cores": "1"}, key: "spark.executor.cores"},
		{name: "too many executors", props: Properties{"spark.executor.instances": "100001"}, key: "spark.executor.instances"},
		{name: "executors beyond 32 bits", props: Properties{"spark.executor.instances": "4294967297"}, key: "spark.executor.instances"},
		{name: "too many initial executors",
			props: Properties{"spark.dynamicAllocation.enabled": "true", "spark.dynamicAllocation.initialExecutors": "100001"}, key: "spark.dynamicAllocation.initialExecutors"},
		{name: "a negative dynamic minimum",
			props: Properties{"spark.dynamicAllocation.enabled": "true", "spark.dynamicAllocation.minExecutors": "-1"}, key: "spark.dynamicAllocation.minExecutors"},
		{name: "a dynamic maximum of zero",
			props: Properties{"spark.dynamicAllocation.enabled": "true", "spark.dynamicAllocation.maxExecutors": "0"}, key: "spark.dynamicAllocation.maxExecutors"},
		{name: "an annotation that is no number", in: withAnnotation("all"), key: AnnotationMinExecutors},
		{name: "an annotation of zero", in: withAnnotation("0"), key: AnnotationMinExecutors},
		{name: "an annotation above the maximum", in: withAnnotation("3"), key: AnnotationMinExecutors},
		{name: "a reference to the driver's environment", props: Properties{"spark.executor.memoryOverhead": "${env:OVERHEAD}"}, key: "spark.executor.memoryOverhead"},
		{name: "references that multiply", props: Properties{
			"spark.executor.memoryOverhead": strings.Repeat("${spark.a}", 99), "spark.a": strings.Repeat("${spark.b}", 99), "spark.b": strings.Repeat("${spark.a}", 99)},
			key: "spark.executor.memoryOverhead"},
		{name: "a kind of application that Spark doesn't have", props: Properties{"spark.kubernetes.resource.type": "cobol"}, key: "spark.kubernetes.resource.type"},
		{name: "a vendor that is no domain",
			props: Properties{"spark.executor.resource.gpu.amount": "1", "spark.executor.resource.gpu.vendor": "a b"}, key: "spark.executor.resource.gpu.vendor"},
		{name: "a device without a name", props: Properties{"spark.executor.resource.gpu": "1"}, key: "spark.executor.resource.gpu.amount"},
		{name: "a node selector that is no label", props: Properties{"spark.kubernetes.node.selector.a b": "c"}, key: "spark.kubernetes.node.selector.a b"},
		{name: "an id that is no label", props: Properties{"spark.app.id": strings.Repeat("x", 64)}, key: "spark.app.id"},
		{name: "executors in another namespace than their driver",
			props: Properties{"spark.kubernetes.namespace": "b"},
			in:    Inputs{Driver: &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "a"}}}, key: "spark.kubernetes.namespace"},
		{name: "a template that is not at hand", props: Properties{"spark.kubernetes.executor.podTemplateFile": "/tmp/t.yaml"}, key: "spark.kubernetes.executor.podTemplateFile"},
	} {
		t.Run(test.name, func(t *testing.T) {
			app, err := Parse(test.props, test.in)
			requireKeyError(t, err, test.key)
			if len(app.ExecutorPod.Containers) != 0 {
				t.Error("there is an executor pod besides the error")
			}
		})
	}
}

// requireKeyError wants an error that names the key, the reason and the cure
// within the length of an event.
func requireKeyError(t *testing.T, err error, key string) {
	t.Helper()
	var keyError *KeyError
	if !errors.As(err, &keyError) {
		t.Fatalf("got %v, want an error about %s", err, key)
	}
	if keyError.Key != key || keyError.Why == "" || keyError.Cure == "" {
		t.Fatalf("got %+v, want an error about %s with a reason and a cure", keyError, key)
	}
	if text := err.Error(); !strings.Contains(text, key) || len(text) > 1024 {
		t.Fatalf("the message doesn't name the key or doesn't fit an event: %s", text)
	}
}

func TestSchedulerAllocatorAndIDAreTheExecutors(t *testing.T) {
	driver := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{LabelAppID: "spark-1"}}}
	app, err := Parse(Properties{
		"spark.kubernetes.scheduler.name":            "muster",
		"spark.kubernetes.driver.scheduler.name":     "another",
		"spark.kubernetes.allocation.pods.allocator": "statefulset",
	}, Inputs{Driver: driver})
	if err != nil {
		t.Fatal(err)
	}
	requireEqual(t, "scheduler", app.SchedulerName, "muster")
	requireEqual(t, "scheduler of the pod", app.ExecutorPod.SchedulerName, "muster")
	requireEqual(t, "allocator", app.Allocator, AllocatorStatefulSet)
	requireEqual(t, "id", app.AppID, "spark-1")

	app, err = Parse(nil, Inputs{})
	if err != nil {
		t.Fatal(err)
	}
	requireEqual(t, "scheduler by default", app.SchedulerName, corev1.DefaultSchedulerName)
	requireEqual(t, "allocator by default", app.Allocator, AllocatorDirect)
	requireEqual(t, "id in client mode", app.AppID, "")
}

func TestLongValuesAreCutInErrors(t *testing.T) {
	_, err := Parse(Properties{"spark.executor.memory": strings.Repeat("ü", 10_000)}, Inputs{})
	requireKeyError(t, err, "spark.executor.memory")
	if strings.ContainsRune(err.Error(), '�') {
		t.Errorf("cut within a character: %s", err)
	}
}
