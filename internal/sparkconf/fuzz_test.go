package sparkconf

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"pgregory.net/rapid"

	"muster.sh/muster/internal/sparkconf/conformance"
)

func FuzzReadProperties(f *testing.F) {
	for _, text := range conformance.All().Properties {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		props, err := ReadProperties(text)
		if err != nil {
			checkError(t, err)
			return
		}
		again, err := ReadProperties(writeProperties(props))
		if err != nil || !maps.Equal(again, props) {
			t.Fatalf("%q is read as %q, but written and read again as %q (%v)", text, props, again, err)
		}
	})
}

func FuzzMemoryString(f *testing.F) {
	for _, text := range conformance.All().Memory {
		f.Add(text, 4, 3)
	}
	f.Fuzz(func(t *testing.T, text string, major, minor int) {
		version := line{major, minor}
		inMiB, errMiB := parseMemory(text, mib, version)
		inBytes, errBytes := parseMemory(text, oneByte, version)
		if errMiB == nil && inMiB < 0 != strings.HasPrefix(text, "-") && inMiB != 0 {
			t.Fatalf("%q has the wrong sign: %d", text, inMiB)
		}
		if errMiB != nil && errBytes == nil {
			t.Fatalf("%q is %d bytes, but not to be had in MiB: %v", text, inBytes, errMiB)
		}
		trimmed := trimJava(text)
		suffixed := !strings.ContainsAny(trimmed[max(0, len(trimmed)-1):], "0123456789")
		if errMiB == nil && errBytes == nil && suffixed && inBytes/int64(mib) != inMiB {
			t.Fatalf("%q is %d bytes, but %d MiB", text, inBytes, inMiB)
		}
	})
}

func FuzzParse(f *testing.F) {
	for _, asked := range conformance.All().Executors {
		f.Add(writeProperties(asked.Conf), asked.Template, "2", "4.3.0", 1)
	}
	f.Add("spark.executor.memory=${spark.a}\nspark.a=${spark.a}${spark.a}", "", "0", "3.5", 0)
	f.Add("spark.kubernetes.executor.podTemplateFile=x", "spec: {containers: [{resources: {limits: {cpu: 1e-999999999}}}]}", "", "", -1)
	f.Fuzz(func(t *testing.T, text, template, annotation, version string, floor int) {
		checkApplication(t, text, template, annotation, version, floor)
	})
}

// Fuzzing changes bytes; this makes settings that are close to good ones.
func TestWhateverTheSettingsTheShapeIsSane(t *testing.T) {
	known := map[string][]string{}
	var templates []string
	for _, asked := range conformance.All().Executors {
		for key, value := range asked.Conf {
			known[key] = append(known[key], value)
		}
		templates = append(templates, asked.Template)
	}
	keys := slices.Sorted(maps.Keys(known))
	number := rapid.StringMatching(`-?[0-9]{1,20}(\.[0-9]{1,3})?([kKmMgGtTpP][bi]?|[eE]-?[0-9]{1,10})?`)
	word := rapid.SampledFrom([]string{"true", "NaN", "Infinity", "python", "nvidia.com", "${spark.executor.cores}", ""})
	wild := rapid.OneOf(number, word, rapid.String())

	accepted, refused := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		settings := map[string]string{}
		for range rapid.IntRange(0, 4).Draw(t, "settings") {
			key := rapid.SampledFrom(keys).Draw(t, "key")
			settings[key] = rapid.OneOf(rapid.SampledFrom(known[key]), wild).Draw(t, "value")
		}
		template := rapid.SampledFrom(templates).Draw(t, "template")
		if template != "" {
			settings[keyTemplateFile] = "template.yaml"
		}
		annotation := rapid.OneOf(rapid.SampledFrom([]string{"", "1"}), wild).Draw(t, "annotation")
		floor := rapid.IntRange(-1, 10).Draw(t, "floor")
		if checkApplication(t, writeProperties(settings), template, annotation, "4.3.0", floor) {
			accepted++
		} else {
			refused++
		}
	})
	if accepted == 0 || refused == 0 {
		t.Errorf("%d settings were accepted and %d refused: one side was not tested", accepted, refused)
	}
}

// checkApplication wants an error that says what to do, or a shape that a
// machine could have. It returns whether there was a shape.
func checkApplication(t fatalfer, text, template, annotation, version string, floor int) bool {
	props, err := ReadProperties(text)
	if err != nil {
		checkError(t, err)
		return false
	}
	in := Inputs{Driver: &corev1.Pod{}, SparkVersion: version, MinExecutorsFloor: floor}
	if annotation != "" {
		in.Driver.ObjectMeta = metav1.ObjectMeta{Annotations: map[string]string{AnnotationMinExecutors: annotation}}
	}
	if template != "" {
		if in.Template, err = ReadTemplate(template); err != nil {
			checkError(t, err)
			return false
		}
	}
	app, err := Parse(props, in)
	if err != nil {
		checkError(t, err)
		return false
	}
	counts := app.Executors
	if counts.Min < 1 || counts.Max != Unlimited && counts.Max < counts.Min || counts.MinAfterStart < 0 || counts.MinAfterStart > counts.Min {
		t.Fatalf("these counts make no sense: %+v", counts)
	}
	if counts.Min > MaxExecutors && floor <= MaxExecutors {
		t.Fatalf("an application of %d executors", counts.Min)
	}
	requests := PodRequests(&app.ExecutorPod)
	for name, quantity := range requests {
		if quantity.Sign() < 0 || quantity.Value() > 1<<50 {
			t.Fatalf("a request of %s for %s", quantity.String(), name)
		}
	}
	if memory := requests[corev1.ResourceMemory]; memory.IsZero() || app.SchedulerName == "" || app.Allocator == "" && props[keyAllocator] != "" {
		t.Fatalf("the application lacks something: %+v", app)
	}
	return true
}

// checkError wants an error that fits an event and names key, reason and cure.
func checkError(t fatalfer, err error) {
	var keyError *KeyError
	if !errors.As(err, &keyError) || keyError.Key == "" || keyError.Why == "" || keyError.Cure == "" {
		t.Fatalf("the error doesn't say what to do: %v", err)
	}
	if text := err.Error(); len(text) > 1024 || !utf8.ValidString(text) {
		t.Fatalf("the error doesn't fit an event: %q", text)
	}
}

// fatalfer is what the tests of this package and those of rapid have in common.
type fatalfer interface {
	Fatalf(format string, args ...any)
}

// writeProperties writes settings in the way of java.util.Properties.
func writeProperties(props map[string]string) string {
	escape := strings.NewReplacer(`\`, `\\`, "=", `\=`, ":", `\:`, "#", `\#`, "!", `\!`, " ", `\ `,
		"\t", `\t`, "\n", `\n`, "\r", `\r`, "\f", `\f`)
	var text strings.Builder
	for key, value := range props {
		text.WriteString(escape.Replace(key) + "=" + escape.Replace(value) + "\n")
	}
	return text.String()
}
