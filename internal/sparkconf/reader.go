package sparkconf

import (
	"maps"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
)

// Reader reads typed values from properties as Spark's own configuration does,
// references to other settings resolved. The first value that can't be read is
// kept, and turns all later reads into no-ops: whoever has read all it needs asks
// for [Reader.Err].
type Reader struct {
	settings settings
}

// NewReader reads properties as the given version of Spark does.
func NewReader(props Properties, sparkVersion string) *Reader {
	return &Reader{settings{props: props, version: parseLine(sparkVersion)}}
}

// Err is the first refusal, a *KeyError, or nil.
func (r *Reader) Err() error { return r.settings.err }

// Fail refuses a setting, unless another one has been refused before.
func (r *Reader) Fail(key, value, why, cure string) { r.settings.fail(key, value, why, cure) }

// Text returns the value of the first of the keys that is set, and that key.
func (r *Reader) Text(keys ...string) (key, value string, found bool) {
	return r.settings.text(keys...)
}

// Integer reads a 32-bit number.
func (r *Reader) Integer(key string, unset int) int { return r.settings.integer(key, unset) }

// Boolean reads true or false, in any case.
func (r *Reader) Boolean(key string, unset bool) bool { return r.settings.boolean(unset, key) }

// Quantity reads an amount as Kubernetes writes it; found is false if the key isn't
// set.
func (r *Reader) Quantity(key string) (quantity resource.Quantity, found bool) {
	_, text, found := r.settings.text(key)
	if !found {
		return resource.Quantity{}, false
	}
	return r.settings.quantity(key, text), true
}

// MemoryMiB reads a size; a number without a unit is in MiB.
func (r *Reader) MemoryMiB(key string) (size int64, found bool) { return r.settings.memory(mib, key) }

// ExecutorMemoryMiB is the memory of an executor of an application in a language:
// java, python or r.
func (r *Reader) ExecutorMemoryMiB(language string) int64 {
	props := maps.Clone(r.settings.props)
	props[keyAppType] = language
	props[keyCommonFactor] = r.CommonFactor(language == "java")
	s := settings{props: props, version: r.settings.version, err: r.settings.err}
	size := s.memoryMiB()
	r.settings.err = s.err
	return size
}

// WithPrefix returns what follows the prefix in every key that has it, with the
// value as it is written: Spark resolves no references in these.
func (r *Reader) WithPrefix(prefix string) map[string]string { return r.settings.withPrefix(prefix) }

// Before says whether the version of Spark belongs to an older line than
// major.minor.
func (r *Reader) Before(major, minor int) bool {
	return r.settings.version.before(line{major, minor})
}

// CheckExecutors refuses what no executor pods can be made of, or too many. Spark
// itself would see most of that only once the driver runs.
func (r *Reader) CheckExecutors() {
	r.settings.executors(1)
	r.settings.container(corev1.Container{})
}
