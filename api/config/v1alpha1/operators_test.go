package v1alpha1

import (
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

const operatorsHeader = "apiVersion: config.muster.sh/v1alpha1\nkind: OperatorsConfiguration\n"

func TestAnEmptyFileOfOperatorsHasTheDefaults(t *testing.T) {
	got, err := ParseOperators([]byte(operatorsHeader))
	if err != nil {
		t.Fatal(err)
	}
	if want := NewOperatorsConfiguration(); !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if len(got.Controllers) != len(Controllers) || got.LeaderElection.ResourceName != "muster-operators" ||
		got.Spark.SchedulerName != "muster" || *got.Spark.MaxTrackedExecutors != 1000 || got.TensorFlow.SchedulerName != "muster" {
		t.Errorf("got %+v", got)
	}
}

func TestMistakesOfOperatorsNameTheField(t *testing.T) {
	for name, tc := range map[string]struct{ text, want string }{
		"another kind":                         {header, `kind "SchedulerConfiguration", expected "config.muster.sh/v1alpha1" and "OperatorsConfiguration"`},
		"a field that does not exist":          {operatorsHeader + "tensorFlow: {gang: None}\n", `unknown field "tensorFlow.gang"`},
		"a controller that does not exist":     {operatorsHeader + "controllers: [torch]\n", `controllers[0]: Unsupported value: "torch": supported values: "spark", "tensorflow"`},
		"a controller twice":                   {operatorsHeader + "controllers: [tensorflow, tensorflow]\n", "controllers[1]: Duplicate value"},
		"one port for two things":              {operatorsHeader + "healthPort: 10264\n", "healthPort: Invalid value: 10264: must not be serving.port"},
		"a port that does not exist":           {operatorsHeader + "healthPort: 65536\n", "healthPort: Invalid value: 65536"},
		"a declaration that does not exist":    {operatorsHeader + "tensorFlow: {gangs: Job}\n", `tensorFlow.gangs: Unsupported value: "Job"`},
		"a scheduler that can't have a name":   {operatorsHeader + "tensorFlow: {schedulerName: A b}\n", "tensorFlow.schedulerName"},
		"a domain that is none":                {operatorsHeader + "tensorFlow: {clusterDomain: .local}\n", "tensorFlow.clusterDomain"},
		"nobody to work":                       {operatorsHeader + "tensorFlow: {workers: -1}\n", "tensorFlow.workers: Invalid value: -1: must be at least 1"},
		"nobody to work for Spark":             {operatorsHeader + "spark: {workers: -1}\n", "spark.workers: Invalid value: -1: must be at least 1"},
		"Spark's scheduler has no good name":   {operatorsHeader + "spark: {schedulerName: A b}\n", "spark.schedulerName"},
		"a label that can't be":                {operatorsHeader + "spark: {metricLabels: [a b]}\n", "spark.metricLabels[0]: Invalid value: \"a b\""},
		"a label twice":                        {operatorsHeader + "spark: {metricLabels: [team, team]}\n", "spark.metricLabels[1]: Duplicate value"},
		"drivers that are asked all the time":  {operatorsHeader + "spark: {progress: {interval: 10ms}}\n", "spark.progress.interval: Invalid value: \"10ms\": must be at least 1s, or 0s"},
		"a history that is nowhere":            {operatorsHeader + "spark: {historyServer: history:18080}\n", "spark.historyServer: Invalid value: \"history:18080\": must be a URL"},
		"one address for all applications":     {operatorsHeader + "spark: {ingress: {urlFormat: spark.example.com}}\n", "spark.ingress.urlFormat: Invalid value: \"spark.example.com\": must contain {{$appName}} or {{$appId}}"},
		"a class that can't have a name":       {operatorsHeader + "spark: {ingress: {className: A b}}\n", "spark.ingress.className"},
		"fewer executors than none":            {operatorsHeader + "spark: {maxTrackedExecutors: -1}\n", "spark.maxTrackedExecutors: Invalid value: -1: must not be negative"},
		"a lease that ends before its renewal": {operatorsHeader + "leaderElection: {leaseDuration: 1s}\n", "leaderElection.leaseDuration"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := ParseOperators([]byte(tc.text))
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, want an error with %q", err, tc.want)
			}
		})
	}
}

func TestLoadingOperatorsNamesTheFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "operators.yaml")
	if _, err := LoadOperators(path); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("got %v", err)
	}
}
