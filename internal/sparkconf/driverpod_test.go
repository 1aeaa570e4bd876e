package sparkconf

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
)

func TestDriverMemoryIsHeapAndOverhead(t *testing.T) {
	for name, test := range map[string]struct {
		props   Properties
		version string
		python  bool
		want    string
	}{
		"no settings":                     {Properties{}, "4.3.0", false, "1408Mi"},
		"no settings in Python":           {Properties{}, "4.3.0", true, "1433Mi"},
		"a small heap":                    {Properties{keyDriverMemory: "512m"}, "4.3.0", false, "896Mi"},
		"a large heap":                    {Properties{keyDriverMemory: "8g"}, "4.3.0", false, "9011Mi"},
		"a large heap in Python":          {Properties{keyDriverMemory: "8g"}, "4.3.0", true, "11468Mi"},
		"an overhead of its own":          {Properties{keyDriverMemory: "8g", keyDriverOverhead: "1g"}, "4.3.0", true, "9Gi"},
		"a factor of its own":             {Properties{keyDriverMemory: "8g", keyDriverOverheadFactor: "0.25", keyCommonFactor: "0.5"}, "4.3.0", true, "10Gi"},
		"a least overhead":                {Properties{keyMinDriverOverhead: "1g"}, "4.0.0", false, "2Gi"},
		"a least overhead before Spark 4": {Properties{keyMinDriverOverhead: "1g"}, "3.5.9", false, "1408Mi"},
	} {
		t.Run(name, func(t *testing.T) {
			r := NewReader(test.props, test.version)
			resources := r.DriverResources(!test.python)
			request, limit := resources.Requests[corev1.ResourceMemory], resources.Limits[corev1.ResourceMemory]
			if r.Err() != nil || request.String() != test.want || !limit.Equal(request) {
				t.Errorf("the request is %s and the limit %s, not %s (%v)", &request, &limit, test.want, r.Err())
			}
		})
	}
}

func TestDriverCores(t *testing.T) {
	for name, test := range map[string]struct {
		props          Properties
		request, limit string
	}{
		"no settings":         {Properties{}, "1", "0"},
		"cores":               {Properties{keyDriverCores: "2"}, "2", "0"},
		"a request of theirs": {Properties{keyDriverCores: "2", keyDriverRequestCores: "250m"}, "250m", "0"},
		"a limit":             {Properties{keyDriverLimitCores: "1500m"}, "1", "1500m"},
	} {
		t.Run(name, func(t *testing.T) {
			r := NewReader(test.props, "4.3.0")
			resources := r.DriverResources(true)
			request, limit := resources.Requests[corev1.ResourceCPU], resources.Limits[corev1.ResourceCPU]
			if r.Err() != nil || request.String() != test.request || limit.String() != test.limit {
				t.Errorf("the request is %s and the limit %s (%v)", &request, &limit, r.Err())
			}
		})
	}
}

func TestFactorsAreSpelledAsInJava(t *testing.T) {
	for number, want := range map[float64]string{
		0: "0.0", 0.1: "0.1", 0.4: "0.4", 1: "1.0", 12.5: "12.5", 0.001: "0.001", 0.00001: "1.0E-5", 0.00012: "1.2E-4",
		9999999: "9999999.0", 1e7: "1.0E7", 1.25e10: "1.25E10",
	} {
		if got := javaDouble(number); got != want {
			t.Errorf("%g is spelled %s, not %s", number, got, want)
		}
	}
}
