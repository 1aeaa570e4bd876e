package sparkconf

import (
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/validation"
)

const (
	keyCores            = "spark.executor.cores"
	keyRequestCores     = "spark.kubernetes.executor.request.cores"
	keyLimitCores       = "spark.kubernetes.executor.limit.cores"
	keyMemory           = "spark.executor.memory"
	keyOverhead         = "spark.executor.memoryOverhead"
	keyOldOverhead      = "spark.yarn.executor.memoryOverhead"
	keyMinOverhead      = "spark.executor.minMemoryOverhead"
	keyOverheadFactor   = "spark.executor.memoryOverheadFactor"
	keyCommonFactor     = "spark.kubernetes.memoryOverheadFactor"
	keyOffHeapEnabled   = "spark.memory.offHeap.enabled"
	keyOldOffHeap       = "spark.unsafe.offHeap"
	keyOffHeapSize      = "spark.memory.offHeap.size"
	keyPySparkMemory    = "spark.executor.pyspark.memory"
	keyAppType          = "spark.kubernetes.resource.type"
	keyBlockManagerPort = "spark.blockManager.port"
	prefixResource      = "spark.executor.resource."

	defaultMemoryMiB        = 1024
	defaultMinOverheadMiB   = 384
	defaultOverheadFactor   = 0.1
	defaultBlockManagerPort = 7079
	defaultContainerName    = "spark-kubernetes-executor"
)

// container returns the executor container that Spark makes of the template's
// one: Spark's own resources replace the template's, others stay.
func (s *settings) container(base corev1.Container) corev1.Container {
	requests, limits := corev1.ResourceList{}, corev1.ResourceList{}
	addAll(requests, base.Resources.Requests)
	addAll(limits, base.Resources.Limits)

	memory := *resource.NewQuantity(s.memoryMiB()*int64(mib), resource.BinarySI)
	requests[corev1.ResourceMemory] = memory
	limits[corev1.ResourceMemory] = memory

	requests[corev1.ResourceCPU] = s.cpuRequest()
	if key, text, found := s.text(keyLimitCores); found {
		limits[corev1.ResourceCPU] = s.quantity(key, text)
	}
	addAll(limits, s.devices(prefixResource))

	base.Resources.Requests, base.Resources.Limits = requests, limits
	if base.Name == "" {
		base.Name = defaultContainerName
	}
	if port := s.blockManagerPort(); port != 0 {
		base.Ports = append(base.Ports,
			corev1.ContainerPort{Name: "blockmanager", ContainerPort: int32(port)})
	}
	return base
}

// blockManagerPort is the port that executors serve blocks on; 0 is any port
// that is free. It matters to pods that share their machine's network.
func (s *settings) blockManagerPort() int {
	port := s.integer(keyBlockManagerPort, defaultBlockManagerPort)
	if port != 0 && (port < 1024 || port > 65535) {
		s.fail(keyBlockManagerPort, s.props[keyBlockManagerPort], "is neither 0 nor a port from 1024 to 65535", "write such a number")
	}
	return port
}

func addAll(to, from corev1.ResourceList) {
	for name, quantity := range from {
		to[name] = quantity
	}
}

// memoryMiB is the memory of an executor: heap, overhead, off-heap memory and
// that of its Python workers.
func (s *settings) memoryMiB() int64 {
	heap, found := s.memory(mib, keyMemory)
	if !found {
		heap = defaultMemoryMiB
	}
	if heap <= 0 && !s.positiveBytes(keyMemory) {
		s.fail(keyMemory, s.props[keyMemory], "is not a positive size", "write a size such as 1g")
	}
	overhead, overheadKey := s.overheadMiB(heap)
	offHeap := s.offHeapMiB()
	python, _ := s.nonNegativeMiB(keyPySparkMemory)
	if !s.pythonApp() {
		python = 0
	}
	total := int64(0)
	for _, part := range []struct {
		key string
		mib int64
	}{{keyMemory, heap}, {overheadKey, overhead}, {keyOffHeapSize, offHeap}, {keyPySparkMemory, python}} {
		if part.mib > maxMemoryMiB-total {
			s.fail(part.key, s.props[part.key], "makes executors with more memory than any machine has", "lower it")
			return 0
		}
		total += part.mib
	}
	return total
}

// positiveBytes says whether a size is above zero before it is rounded down to
// MiB: Spark accepts an executor of 600k.
func (s *settings) positiveBytes(key string) bool {
	size, _ := s.memory(oneByte, key)
	return size > 0
}

// overheadMiB is the memory outside the heap, and the setting that it comes
// from: a size, or a share of the heap that is not less than the minimum.
func (s *settings) overheadMiB(heap int64) (size int64, key string) {
	factor, factorKey := s.overheadFactor()
	least := int64(defaultMinOverheadMiB)
	if !s.version.before(line{4, 0}) {
		if set, found := s.memory(mib, keyMinOverhead); found {
			least = set
		}
	}
	if overhead, found := s.nonNegativeMiB(keyOverhead, keyOldOverhead); found {
		return overhead, keyOverhead
	}
	// Spark computes in floating point and cuts to 32 bits, the greatest of
	// which is refused as more than any machine has.
	share := int64(math.Min(factor*float64(heap), math.MaxInt32))
	if share < least {
		return least, keyMinOverhead
	}
	return share, factorKey
}

// overheadFactor is the executor's own factor, else that of both pods, and the
// setting that it comes from. For applications in Python and R spark-submit
// writes 0.4 into the latter.
func (s *settings) overheadFactor() (factor float64, key string) {
	if _, set := s.props[keyOverheadFactor]; set {
		factor := s.decimal(keyOverheadFactor, defaultOverheadFactor)
		if factor <= 0 {
			s.fail(keyOverheadFactor, s.props[keyOverheadFactor], "is not above zero", "write a number such as 0.1")
		}
		return factor, keyOverheadFactor
	}
	factor = s.decimal(keyCommonFactor, defaultOverheadFactor)
	if factor < 0 {
		s.fail(keyCommonFactor, s.props[keyCommonFactor], "is negative", "write a number such as 0.1")
	}
	return factor, keyCommonFactor
}

// offHeapMiB is the off-heap memory, if it is switched on.
func (s *settings) offHeapMiB() int64 {
	size, _ := s.memory(oneByte, keyOffHeapSize)
	if size < 0 {
		s.fail(keyOffHeapSize, s.props[keyOffHeapSize], "is negative", "write a size such as 2g")
	}
	if !s.boolean(false, keyOffHeapEnabled, keyOldOffHeap) {
		return 0
	}
	if size < int64(mib) {
		s.fail(keyOffHeapSize, s.props[keyOffHeapSize], "is less than 1m although off-heap memory is enabled",
			"set it to a size such as 2g, or set "+keyOffHeapEnabled+" to false")
	}
	return size / int64(mib)
}

// nonNegativeMiB reads a size in MiB that Spark takes only unsigned.
func (s *settings) nonNegativeMiB(keys ...string) (int64, bool) {
	size, found := s.memory(mib, keys...)
	if size < 0 {
		s.fail(keys[0], s.props[keys[0]], "is negative", "write a size such as 512m")
	}
	return size, found
}

// pythonApp says whether the application is in Python: only then do executors
// get the memory of Python workers.
func (s *settings) pythonApp() bool {
	key, text, found := s.text(keyAppType)
	if found && text != "java" && text != "python" && text != "r" {
		s.fail(key, text, "is not one of java, python and r", "leave this setting to spark-submit")
	}
	return text == "python"
}

// cpuRequest is the request that is set, or the number of cores.
func (s *settings) cpuRequest() resource.Quantity {
	cores := s.integer(keyCores, 1)
	if cores < 1 {
		s.fail(keyCores, s.props[keyCores], "is not above zero", "write a number such as 1")
	}
	if key, text, found := s.text(keyRequestCores); found {
		return s.quantity(key, text)
	}
	return *resource.NewQuantity(int64(cores), resource.DecimalSI)
}

// devices are the limits for GPUs and the like that settings with the prefix ask
// for. The API server makes requests of them.
func (s *settings) devices(prefix string) corev1.ResourceList {
	found := s.withPrefix(prefix)
	devices := corev1.ResourceList{}
	for _, key := range slices.Sorted(maps.Keys(found)) {
		name, _, dotted := strings.Cut(key, ".")
		amount, set := found[name+".amount"]
		if !dotted || !set {
			s.fail(prefix+name+".amount", "", "is not set, but other settings of this resource are",
				"set it to a number of devices")
			break
		}
		count := s.parseInteger(prefix+name+".amount", amount)
		if count < 1 {
			continue
		}
		resourceName := found[name+".vendor"] + "/" + name
		if problems := validation.IsQualifiedName(resourceName); len(problems) > 0 {
			s.fail(prefix+name+".vendor", found[name+".vendor"],
				fmt.Sprintf("makes no valid resource name (%s)", resourceName), "set it to the vendor's domain, such as nvidia.com")
			break
		}
		devices[corev1.ResourceName(resourceName)] = *resource.NewQuantity(int64(count), resource.DecimalSI)
	}
	return devices
}

// quantityPattern admits the Kubernetes quantities that are cheap to read. The
// library computes 10^n exactly, so an exponent of nine digits would keep a
// processor busy for hours.
var quantityPattern = regexp.MustCompile(`^[+-]?([0-9]{1,32}(\.[0-9]{0,32})?|\.[0-9]{1,32})([numkMGTPE]|[KMGTPE]i|[eE][+-]?[0-9]{1,2})?$`)

// quantity reads an amount as Kubernetes writes it, such as 0.5 or 500m.
func (s *settings) quantity(key, text string) resource.Quantity {
	const cure = "write a number of cores such as 0.5 or 500m"
	if !quantityPattern.MatchString(text) {
		s.fail(key, text, "is not a Kubernetes quantity", cure)
		return resource.Quantity{}
	}
	quantity, err := resource.ParseQuantity(text)
	if err != nil {
		s.fail(key, text, "is not a Kubernetes quantity", cure)
	}
	return quantity
}
