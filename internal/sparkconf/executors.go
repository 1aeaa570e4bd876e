package sparkconf

import (
	"fmt"
	"math"
)

// Executors says how many executors an application needs and may get.
type Executors struct {
	// Min is the number without which the driver should not start.
	Min int
	// Max is the greatest number that Spark asks for, or Unlimited.
	Max int
	// MinAfterStart is the number that Spark keeps once the application has
	// started; idle executors above it may go. It is at most Min, and may be 0
	// under dynamic allocation.
	MinAfterStart int
	// Dynamic says whether Spark adds and removes executors by itself.
	Dynamic bool
}

// Unlimited is the maximum of an application that sets none.
const Unlimited = -1

// MaxExecutors bounds the executors that an application may need at once. No
// Spark driver runs that many.
const MaxExecutors = 100_000

// AnnotationMinExecutors on the driver pod replaces the minimum that the Spark
// settings give, for an application that is content to start with fewer. Its
// value is a whole number from 1 to the application's maximum.
const AnnotationMinExecutors = "muster.sh/min-executors"

const (
	keyInstances      = "spark.executor.instances"
	keyDynamic        = "spark.dynamicAllocation.enabled"
	keyDynamicMin     = "spark.dynamicAllocation.minExecutors"
	keyDynamicInitial = "spark.dynamicAllocation.initialExecutors"
	keyDynamicMax     = "spark.dynamicAllocation.maxExecutors"
)

// DefaultInstances is how many executors Spark has that is told of no number.
const DefaultInstances = 2

// executors computes the counts that the settings ask for, before any
// annotation. floor is the least minimum under dynamic allocation.
func (s *settings) executors(floor int) Executors {
	if s.boolean(false, keyDynamic) {
		return s.dynamicExecutors(floor)
	}
	instances := s.count(keyInstances, DefaultInstances, 1)
	return Executors{Min: instances, Max: instances, MinAfterStart: instances}
}

func (s *settings) dynamicExecutors(floor int) Executors {
	least := s.count(keyDynamicMin, 0, 0)
	// Spark takes the greatest of the three, so a negative one is merely useless.
	initial := max(least, s.count(keyDynamicInitial, 0, math.MinInt32), s.count(keyInstances, 0, math.MinInt32))
	most := s.integer(keyDynamicMax, math.MaxInt32)
	if s.err != nil {
		return Executors{}
	}
	if most < 1 || most < initial {
		s.fail(keyDynamicMax, s.props[keyDynamicMax],
			fmt.Sprintf("is less than the %d executors that the application starts with", max(initial, 1)),
			fmt.Sprintf("raise it, or lower %s, %s or %s", keyDynamicInitial, keyDynamicMin, keyInstances))
	}
	counts := Executors{
		Min:           min(max(initial, floor), most),
		Max:           most,
		MinAfterStart: least,
		Dynamic:       true,
	}
	if most == math.MaxInt32 {
		counts.Max = Unlimited
	}
	return counts
}

// count reads a number of executors that must be within reason.
func (s *settings) count(key string, unset, least int) int {
	number := s.integer(key, unset)
	if number < least {
		s.fail(key, s.props[key], fmt.Sprintf("is less than %d", least), "ask for more executors")
	}
	if number > MaxExecutors {
		s.fail(key, s.props[key], fmt.Sprintf("is more than the %d executors that an application may start with", MaxExecutors),
			"ask for fewer executors")
	}
	return number
}

// override applies the driver's own annotation to the counts. The floor still
// holds under dynamic allocation: it is the administrator's word, the
// annotation a user's.
func (s *settings) override(counts Executors, annotations map[string]string, floor int) Executors {
	text, set := annotations[AnnotationMinExecutors]
	if !set || s.err != nil {
		return counts
	}
	most := counts.Max
	if most == Unlimited || most > MaxExecutors {
		most = MaxExecutors
	}
	number := s.parseInteger(AnnotationMinExecutors, text)
	if number < 1 || number > most {
		s.fail(AnnotationMinExecutors, text,
			fmt.Sprintf("is not a number from 1 to the application's maximum, %d", most),
			"correct or remove the annotation (spark.kubernetes.driver.annotation."+AnnotationMinExecutors+")")
	}
	if counts.Dynamic {
		number = min(max(number, floor), most)
	}
	counts.Min = number
	counts.MinAfterStart = min(counts.MinAfterStart, number)
	return counts
}
