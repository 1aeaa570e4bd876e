package localcluster

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
)

func TestShapesAreRead(t *testing.T) {
	tests := []struct {
		text  string
		want  map[corev1.ResourceName]string
		zones int
	}{
		{"cpu=32,memory=256Gi", map[corev1.ResourceName]string{"cpu": "32", "memory": "256Gi", "pods": "1000"}, 1},
		{"cpu=500m, memory=1G", map[corev1.ResourceName]string{"cpu": "500m", "memory": "1G", "pods": "1000"}, 1},
		{"cpu=32,memory=256Gi,nvidia.com/gpu=8,zones=2", map[corev1.ResourceName]string{"cpu": "32", "memory": "256Gi", "nvidia.com/gpu": "8", "pods": "1000"}, 2},
		{"cpu=1,memory=1Gi,pods=10", map[corev1.ResourceName]string{"cpu": "1", "memory": "1Gi", "pods": "10"}, 1},
	}
	for _, test := range tests {
		t.Run(test.text, func(t *testing.T) {
			shape, err := ParseShape(test.text)
			if err != nil {
				t.Fatal(err)
			}
			if shape.Zones != test.zones || len(shape.Resources) != len(test.want) {
				t.Errorf("read as %v", shape)
			}
			for name, want := range test.want {
				if got := shape.Resources[name]; got.Cmp(resource.MustParse(want)) != 0 {
					t.Errorf("%s is %s, want %s", name, got.String(), want)
				}
			}
		})
	}
}

func TestBadShapesAreRefusedWithTheirReason(t *testing.T) {
	tests := map[string]string{
		"":                            "not NAME=QUANTITY",
		"cpu":                         "not NAME=QUANTITY",
		"cpu=4":                       "memory must be given",
		"memory=4Gi":                  "cpu must be given",
		"cpu=0,memory=4Gi":            "cpu must be given and above zero",
		"cpu=-1,memory=4Gi":           "not below zero",
		"cpu=many,memory=4Gi":         "must be a quantity",
		"cpu=4,cpu=5,memory=4Gi":      "given twice",
		"cpu=4,memory=4Gi,zones=0":    "zones=0",
		"cpu=4,memory=4Gi,zones=two":  "zones=two",
		"cpu=4,memory=4Gi,bad name=1": "no resource name",
		"cpu=4,memory=4Gi,a/b/c=1":    "no resource name",
	}
	for text, want := range tests {
		t.Run(text, func(t *testing.T) {
			_, err := ParseShape(text)
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("got %v, want an error with %q", err, want)
			}
		})
	}
}

func FuzzParseShape(f *testing.F) {
	f.Add("cpu=32,memory=256Gi,nvidia.com/gpu=8,zones=2")
	f.Add("cpu=,memory==")
	f.Fuzz(func(t *testing.T, text string) {
		shape, err := ParseShape(text)
		if err != nil {
			return
		}
		if shape.Zones < 1 || shape.Resources.Cpu().Sign() <= 0 || shape.Resources.Memory().Sign() <= 0 {
			t.Errorf("%q is read as %v", text, shape)
		}
	})
}
