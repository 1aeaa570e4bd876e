package cli

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	sparkv1beta2 "github.com/kubeflow/spark-operator/v2/api/v1beta2"
	kubeflow "github.com/kubeflow/training-operator/pkg/apis/kubeflow.org/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/yaml"
)

// run runs the command without a cluster.
func run(t *testing.T, args ...string) (string, error) {
	t.Helper()
	var out bytes.Buffer
	root := NewRoot("muster")
	root.SetArgs(append([]string{"--kubeconfig", filepath.Join(t.TempDir(), "none")}, args...))
	root.SetOut(&out)
	root.SetErr(&out)
	root.SetIn(strings.NewReader(""))
	err := root.ExecuteContext(t.Context())
	return out.String(), err
}

func TestFlagsMakeASparkApplication(t *testing.T) {
	settings := filepath.Join(t.TempDir(), "spark.properties")
	if err := os.WriteFile(settings, []byte("spark.executor.memory=3g\nspark.ui.port=1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := run(t, "submit", "spark", "--dry-run", "--name", "pi", "--image", "spark:4.0.4", "--class", "a.B", "--queue", "research",
		"--properties-file", settings, "--conf", "spark.ui.port=2", "-c", "spark.a=b=c", "--jars", "local:///a.jar,local:///b.jar",
		"--driver-memory", "1g", "--executor-cores", "2", "--num-executors", "4", "--service-account", "runs",
		"local:///app.jar", "--conf", "is the application's", "1000")
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(out, "status") {
		t.Errorf("a status is submitted: %s", out)
	}
	var app sparkv1beta2.SparkApplication
	if err := yaml.UnmarshalStrict([]byte(out), &app); err != nil {
		t.Fatal(err)
	}
	want := sparkv1beta2.SparkApplication{
		TypeMeta:   metav1.TypeMeta{APIVersion: "sparkoperator.k8s.io/v1beta2", Kind: "SparkApplication"},
		ObjectMeta: metav1.ObjectMeta{Name: "pi"},
		Spec: sparkv1beta2.SparkApplicationSpec{
			Type: "Java", Mode: "cluster", SparkVersion: "4.0.4", Image: ptr.To("spark:4.0.4"), MainClass: ptr.To("a.B"),
			MainApplicationFile: ptr.To("local:///app.jar"), Arguments: []string{"--conf", "is the application's", "1000"},
			SparkConf:             map[string]string{"spark.executor.memory": "3g", "spark.ui.port": "2", "spark.a": "b=c"},
			Deps:                  sparkv1beta2.Dependencies{Jars: []string{"local:///a.jar", "local:///b.jar"}},
			BatchSchedulerOptions: &sparkv1beta2.BatchSchedulerConfiguration{Queue: ptr.To("research")},
			RestartPolicy:         sparkv1beta2.RestartPolicy{Type: "Never"},
		},
	}
	want.Spec.Driver.Memory, want.Spec.Driver.ServiceAccount = ptr.To("1g"), ptr.To("runs")
	want.Spec.Executor.Cores, want.Spec.Executor.Instances = ptr.To[int32](2), ptr.To[int32](4)
	got, _ := yaml.Marshal(app)
	if wanted, _ := yaml.Marshal(want); !bytes.Equal(got, wanted) {
		t.Errorf("it is\n%s\nwant\n%s", got, wanted)
	}
}

func TestExecutorsAreAsManyAsSparkSubmitAsksFor(t *testing.T) {
	for name, tc := range map[string]struct {
		flags []string
		want  *int32
	}{
		"nothing is said":    {nil, ptr.To[int32](2)},
		"the flag":           {[]string{"--num-executors", "5", "--conf", "spark.executor.instances=7"}, ptr.To[int32](5)},
		"a setting":          {[]string{"--conf", "spark.executor.instances=7"}, nil},
		"dynamic allocation": {[]string{"--conf", "spark.dynamicAllocation.enabled=true"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			out, err := run(t, append([]string{"submit", "spark", "--dry-run", "--image", "spark:4.0.4", "--class", "A"}, append(tc.flags, "local:///a.jar")...)...)
			if err != nil {
				t.Fatal(err)
			}
			var app sparkv1beta2.SparkApplication
			if err := yaml.UnmarshalStrict([]byte(out), &app); err != nil {
				t.Fatal(err)
			}
			if got := app.Spec.Executor.Instances; !ptr.Equal(got, tc.want) {
				t.Errorf("it has %v executors, not %v", got, tc.want)
			}
		})
	}
}

func TestWhatIsWrongIsSaidWithItsCure(t *testing.T) {
	file := func(text string) string {
		name := filepath.Join(t.TempDir(), "job.yaml")
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"no application":          {[]string{"submit", "spark"}, "name the application"},
		"no image":                {[]string{"submit", "spark", "a.py"}, "name an image with --image"},
		"an image of any version": {[]string{"submit", "spark", "--image", "spark:latest", "a.py"}, "give --spark-version"},
		"a setting without value": {[]string{"submit", "spark", "--image", "spark:4.0.4", "--conf", "spark.a", "a.py"}, "write KEY=VALUE"},
		"a name that is none":     {[]string{"submit", "spark", "--image", "spark:4.0.4", "--name", "My App", "a.py"}, `--name "My App" can't be`},
		"no such settings":        {[]string{"submit", "spark", "--image", "spark:4.0.4", "--properties-file", "/none", "a.py"}, "/none"},
		"both file and flags":     {[]string{"submit", "spark", "-f", "-", "a.py"}, "not both"},
		"no file":                 {[]string{"submit", "tf"}, "name a file with -f"},
		"an empty file":           {[]string{"submit", "tf", "-f", "-"}, "- has no TFJob"},
		"a field that is not there": {[]string{"submit", "tf", "-f", file("apiVersion: kubeflow.org/v1\nkind: TFJob\nspec: {workers: 2}\n")},
			`unknown field "spec.workers"`},
		"another kind":             {[]string{"submit", "tf", "-f", file("apiVersion: batch/v1\nkind: Job\n")}, "has a Job, and \"muster submit tf\" submits TFJobs"},
		"a pod named in two ways":  {[]string{"logs", "a", "--role", "driver", "--executor", "1"}, "role executor"},
		"a kind that nobody knows": {[]string{"submit", "tf", "-f", file("apiVersion: a/v1\nkind: B\n")}, `no kind "B" is registered`},
		"no cluster":               {[]string{"jobs", "--kubeconfig", os.DevNull, "--server", "http://127.0.0.1:1"}, "refused; is the cluster up? --context and --kubeconfig name another"},
		"no job named":             {[]string{"status"}, "accepts 1 arg"},
	} {
		t.Run(name, func(t *testing.T) {
			if out, err := run(t, c.args...); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q; it prints %s", err, c.want, out)
			}
		})
	}
}

func TestNamesAreMadeOfFiles(t *testing.T) {
	for file, want := range map[string]string{
		"local:///opt/My App_2.py": "my-app-2-", "https://x/etl.jar": "etl-", "s3a://b/2024.R": "spark-",
		"local:///" + strings.Repeat("long", 30) + ".py": strings.Repeat("long", 12) + "lo-",
	} {
		name, err := nameOf("", file)
		if err != nil || !strings.HasPrefix(name, want) || len(name) != len(want)+5 {
			t.Errorf("%s is named %s, %v; want %s and five more", file, name, err, want)
		}
	}
}

func TestStatesAreTold(t *testing.T) {
	app := &sparkv1beta2.SparkApplication{}
	app.Spec.Driver.Labels = map[string]string{"muster.sh/queue": "a"}
	app.Spec.Executor.Instances = ptr.To[int32](3)
	if j := spark.job(app); j.state != "NEW" || j.queue != "a" || j.wanted != 4 || j.ended {
		t.Errorf("a new application is %+v", j)
	}
	app.Spec.Executor.Instances, app.Spec.SparkConf = nil, map[string]string{"spark.executor.instances": "7"}
	if j := spark.job(app); j.wanted != 8 {
		t.Errorf("one whose executors a setting tells is %+v", j)
	}
	app.Spec.SparkConf = nil
	app.Spec.DynamicAllocation = &sparkv1beta2.DynamicAllocation{Enabled: true, MinExecutors: ptr.To[int32](1), InitialExecutors: ptr.To[int32](2)}
	app.Spec.BatchSchedulerOptions = &sparkv1beta2.BatchSchedulerConfiguration{Queue: ptr.To("b")}
	if j := spark.job(app); j.queue != "b" || j.wanted != 3 {
		t.Errorf("a dynamic one of another queue is %+v", j)
	}
	app.Status.AppState = sparkv1beta2.ApplicationState{State: sparkv1beta2.ApplicationStateFailed, ErrorMessage: "driver failed"}
	if j := spark.job(app); !j.ended || !j.failed || j.reason != "driver failed" {
		t.Errorf("a failed one is %+v", j)
	}
	tf := &kubeflow.TFJob{Spec: kubeflow.TFJobSpec{TFReplicaSpecs: map[kubeflow.ReplicaType]*kubeflow.ReplicaSpec{"PS": {Replicas: ptr.To[int32](2)}, "Chief": {}}}}
	tf.Spec.RunPolicy.SchedulingPolicy = &kubeflow.SchedulingPolicy{Queue: "b"}
	condition := func(kind kubeflow.JobConditionType, status corev1.ConditionStatus) {
		tf.Status.Conditions = append(tf.Status.Conditions, kubeflow.JobCondition{Type: kind, Status: status, Message: "it is so"})
	}
	condition(kubeflow.JobCreated, corev1.ConditionTrue)
	condition(kubeflow.JobRunning, corev1.ConditionTrue)
	if j := tensorflow.job(tf); j.state != "Running" || j.queue != "b" || j.wanted != 3 || j.reason != "" {
		t.Errorf("a running job is %+v", j)
	}
	tf.Status.Conditions[1].Status = corev1.ConditionFalse
	condition(kubeflow.JobFailed, corev1.ConditionTrue)
	if j := tensorflow.job(tf); !j.failed || j.reason != "it is so" {
		t.Errorf("a failed one is %+v", j)
	}
}

func TestTheLogIsThatOfTheRole(t *testing.T) {
	pod := func(kind, index string) corev1.Pod {
		return corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: kind + index, Labels: map[string]string{kubeflow.ReplicaTypeLabel: kind, kubeflow.ReplicaIndexLabel: index}}}
	}
	j := tensorflow.job(&kubeflow.TFJob{ObjectMeta: metav1.ObjectMeta{Name: "train"}})
	pods := []corev1.Pod{pod("ps", "0"), pod("worker", "0"), pod("worker", "1")}
	for role, want := range map[string]string{"": "worker0", "worker-1": "worker1"} {
		if p, err := j.logged(pods, role); err != nil || p.Name != want {
			t.Errorf("of role %q it is %v, %v", role, p, err)
		}
	}
	if _, err := j.logged(pods, "chief-0"); err == nil || !strings.Contains(err.Error(), "tf/train has no pod chief-0; it has ps-0, worker-0, worker-1") {
		t.Errorf("of a role that is not there: %v", err)
	}
	if _, err := j.logged(nil, ""); err == nil || !strings.Contains(err.Error(), "tf/train has no pods: it is New") {
		t.Errorf("without pods: %v", err)
	}
}
