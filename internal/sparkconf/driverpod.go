package sparkconf

import (
	"math"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
)

const (
	keyDriverCores          = "spark.driver.cores"
	keyDriverRequestCores   = "spark.kubernetes.driver.request.cores"
	keyDriverLimitCores     = "spark.kubernetes.driver.limit.cores"
	keyDriverMemory         = "spark.driver.memory"
	keyDriverOverhead       = "spark.driver.memoryOverhead"
	keyOldDriverOverhead    = "spark.yarn.driver.memoryOverhead"
	keyMinDriverOverhead    = "spark.driver.minMemoryOverhead"
	keyDriverOverheadFactor = "spark.driver.memoryOverheadFactor"
	prefixDriverResource    = "spark.driver.resource."

	// otherOverheadFactor is the share of applications that aren't in a JVM language.
	otherOverheadFactor = 0.4
)

// CommonFactorKey is the property that tells executors the overhead of their
// application's language. spark-submit writes it.
const CommonFactorKey = keyCommonFactor

// DriverResources are the requests and limits that Spark gives to its container
// in a driver pod. jvm says that the application is in Java or Scala.
func (r *Reader) DriverResources(jvm bool) corev1.ResourceRequirements {
	s := &r.settings
	memory := *resource.NewQuantity(s.driverMemoryMiB(jvm)*int64(mib), resource.BinarySI)
	requests := corev1.ResourceList{corev1.ResourceMemory: memory, corev1.ResourceCPU: s.driverCPU()}
	limits := corev1.ResourceList{corev1.ResourceMemory: memory}
	if limit, found := r.Quantity(keyDriverLimitCores); found {
		limits[corev1.ResourceCPU] = limit
	}
	addAll(limits, s.devices(prefixDriverResource))
	return corev1.ResourceRequirements{Requests: requests, Limits: limits}
}

// CommonFactor is the value of [CommonFactorKey] that spark-submit writes, in
// Java's spelling.
func (r *Reader) CommonFactor(jvm bool) string {
	return javaDouble(r.settings.commonFactor(jvm))
}

func (s *settings) driverCPU() resource.Quantity {
	cores := s.integer(keyDriverCores, 1)
	if cores < 1 {
		s.fail(keyDriverCores, s.props[keyDriverCores], "is not above zero", "write a number such as 1")
	}
	if key, text, found := s.text(keyDriverRequestCores); found {
		return s.quantity(key, text)
	}
	return *resource.NewQuantity(int64(cores), resource.DecimalSI)
}

// driverMemoryMiB is the memory of a driver: heap and overhead. Off-heap memory and
// that of Python workers is not counted, unlike an executor's.
func (s *settings) driverMemoryMiB(jvm bool) int64 {
	heap, found := s.memory(mib, keyDriverMemory)
	if !found {
		heap = defaultMemoryMiB
	}
	if heap <= 0 && !s.positiveBytes(keyDriverMemory) {
		s.fail(keyDriverMemory, s.props[keyDriverMemory], "is not a positive size", "write a size such as 1g")
	}
	overhead := s.driverOverheadMiB(heap, jvm)
	if heap > maxMemoryMiB || overhead > maxMemoryMiB {
		s.fail(keyDriverMemory, s.props[keyDriverMemory], "makes a driver with more memory than any machine has", "lower it, or its overhead")
		return 0
	}
	return heap + overhead
}

func (s *settings) driverOverheadMiB(heap int64, jvm bool) int64 {
	factor := s.commonFactor(jvm)
	if _, set := s.props[keyDriverOverheadFactor]; set {
		factor = s.decimal(keyDriverOverheadFactor, factor)
		if factor <= 0 {
			s.fail(keyDriverOverheadFactor, s.props[keyDriverOverheadFactor], "is not above zero", "write a number such as 0.1")
		}
	}
	least := int64(defaultMinOverheadMiB)
	if !s.version.before(line{4, 0}) {
		if set, found := s.memory(mib, keyMinDriverOverhead); found {
			least = set
		}
	}
	if overhead, found := s.nonNegativeMiB(keyDriverOverhead, keyOldDriverOverhead); found {
		return overhead
	}
	return max(int64(math.Min(factor*float64(heap), math.MaxInt32)), least)
}

// commonFactor is the share of the heap that is set for both kinds of pods, or the
// usual one of the language.
func (s *settings) commonFactor(jvm bool) float64 {
	unset := defaultOverheadFactor
	if !jvm {
		unset = otherOverheadFactor
	}
	factor := s.decimal(keyCommonFactor, unset)
	if factor < 0 {
		s.fail(keyCommonFactor, s.props[keyCommonFactor], "is negative", "write a number such as 0.1")
	}
	return factor
}

// javaDouble writes a number as java.lang.Double.toString does, which decides what
// the driver reads.
func javaDouble(number float64) string {
	if number != 0 && (number < 1e-3 || number >= 1e7) {
		mantissa, exponent, _ := strings.Cut(strconv.FormatFloat(number, 'E', -1, 64), "E")
		power, _ := strconv.Atoi(exponent)
		return withPoint(mantissa) + "E" + strconv.Itoa(power)
	}
	return withPoint(strconv.FormatFloat(number, 'f', -1, 64))
}

func withPoint(number string) string {
	if strings.Contains(number, ".") {
		return number
	}
	return number + ".0"
}
