package chart

import (
	"bytes"
	"errors"
	"io"
	"os/exec"
	"reflect"
	"slices"
	"strings"
	"testing"

	admission "k8s.io/api/admissionregistration/v1"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apiextensions "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/yaml"
	strict "sigs.k8s.io/yaml"

	config "muster.sh/muster/api/config/v1alpha1"
	"muster.sh/muster/internal/localcluster/toolchain"
)

// helm renders the chart as release "r" in namespace "ns", with the least that must be
// set and with what is set besides.
func helm(t *testing.T, set ...string) ([]byte, error) {
	t.Helper()
	if testing.Short() {
		t.Skip("builds Helm: not with -short")
	}
	paths, err := toolchain.Build(t.Context(), nil, toolchain.Helm)
	if err != nil {
		t.Fatal(err)
	}
	args := []string{"template", "r", ".", "--namespace", "ns", "--include-crds", "--kube-version", "1.34.0"}
	for _, s := range set {
		args = append(args, "--set-json", s)
	}
	cmd := exec.CommandContext(t.Context(), paths.Program(toolchain.Helm, "helm"), args...)
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		err = errors.New(said.String())
	}
	return out, err
}

const image = `image.repository="registry.example.com/muster"`

// rendered has what the chart makes of one part of Muster.
type rendered struct {
	part        string
	deployment  appsv1.Deployment
	settings    corev1.ConfigMap
	service     corev1.Service
	account     corev1.ServiceAccount
	clusterRole rbacv1.ClusterRole
	clusterwide rbacv1.ClusterRoleBinding
	role        rbacv1.Role
	bindings    []rbacv1.RoleBinding
	definitions []string
	admissions  []string
}

// render renders the scheduler's part.
func render(t *testing.T, set ...string) *rendered {
	t.Helper()
	return renderPart(t, "scheduler", set...)
}

func renderPart(t *testing.T, part string, set ...string) *rendered {
	t.Helper()
	out, err := helm(t, append(set, image)...)
	if err != nil {
		t.Fatal(err)
	}
	r := &rendered{part: part}
	documents := yaml.NewDocumentDecoder(io.NopCloser(bytes.NewReader(out)))
	defer documents.Close()
	for buffer := make([]byte, len(out)); ; {
		n, err := documents.Read(buffer)
		if errors.Is(err, io.EOF) {
			return r
		}
		if err != nil {
			t.Fatal(err)
		}
		r.take(t, buffer[:n])
	}
}

// take reads one document. Fields that do not exist are refused.
func (r *rendered) take(t *testing.T, document []byte) {
	t.Helper()
	var of metav1.PartialObjectMetadata
	if err := strict.Unmarshal(document, &of); err != nil {
		t.Fatal(err)
	}
	if of.Kind == "" {
		return // a comment alone
	}
	if part, known := of.Labels["app.kubernetes.io/component"]; known && part != r.part {
		return
	}
	into := map[string]any{
		"Deployment": &r.deployment, "ConfigMap": &r.settings, "Service": &r.service, "ServiceAccount": &r.account,
		"ClusterRole": &r.clusterRole, "ClusterRoleBinding": &r.clusterwide, "Role": &r.role,
		"RoleBinding": &rbacv1.RoleBinding{}, "CustomResourceDefinition": &apiextensions.CustomResourceDefinition{},
		"ValidatingAdmissionPolicy": &admission.ValidatingAdmissionPolicy{}, "ValidatingAdmissionPolicyBinding": &admission.ValidatingAdmissionPolicyBinding{},
	}[of.Kind]
	if into == nil {
		t.Fatalf("the chart makes a %q:\n%s", of.Kind, document)
	}
	if err := strict.UnmarshalStrict(document, into); err != nil {
		t.Fatalf("%v:\n%s", err, document)
	}
	switch o := into.(type) {
	case *rbacv1.RoleBinding:
		r.bindings = append(r.bindings, *o)
	case *apiextensions.CustomResourceDefinition:
		r.definitions = append(r.definitions, o.Name)
	case *admission.ValidatingAdmissionPolicy:
		r.admissions = append(r.admissions, o.Name)
	case *admission.ValidatingAdmissionPolicyBinding:
		r.admissions = append(r.admissions, o.Spec.PolicyName)
	}
}

func TestTheChartGivesTheSchedulerItsConfigurationAndItsRights(t *testing.T) {
	asking := slices.Concat(SchedulerClusterRules(), SchedulerAutoscalingRules())
	for name, c := range map[string]struct {
		set   []string
		rules []rbacv1.PolicyRule
		want  func(*config.SchedulerConfiguration)
	}{
		"nothing is set": {nil, SchedulerClusterRules(), func(*config.SchedulerConfiguration) {}},
		"autoscalers are asked by requests": {
			[]string{`config.autoscaling={"request":"ProvisioningRequest","provisioningClassName":"check-capacity.autoscaling.x-k8s.io"}`}, asking,
			func(c *config.SchedulerConfiguration) {
				c.Autoscaling.Request, c.Autoscaling.ProvisioningClassName = config.RequestProvisioning, "check-capacity.autoscaling.x-k8s.io"
			}},
		"autoscalers are asked by buffers and marks": {
			[]string{`config.autoscaling={"request":"CapacityBuffer","markPods":true}`}, asking,
			func(c *config.SchedulerConfiguration) {
				c.Autoscaling.Request, c.Autoscaling.MarkPods = config.RequestBuffers, true
			}},
		"autoscalers are asked by marks alone": {
			[]string{`config.autoscaling={"request":"None","markPods":true}`}, SchedulerClusterRules(),
			func(c *config.SchedulerConfiguration) { c.Autoscaling.MarkPods = true }},
		"gangs below their minimum go": {
			[]string{`config.gangs.belowMinimum.policy="Go"`}, SchedulerClusterRules(),
			func(c *config.SchedulerConfiguration) { c.Gangs.BelowMinimum.Policy = config.GoBelowMinimum }},
		"work is moved, and the rest of it all": {
			[]string{`config.consolidation={"enabled":true,"maxMoves":3}`, `config.placement.strategy="Fragmentation"`,
				`config.autoscaling.request="CapacityBuffer"`, `schedulerName="own"`}, asking,
			func(c *config.SchedulerConfiguration) {
				c.Consolidation.Enabled, c.Consolidation.MaxMoves = true, 3
				c.Placement.Strategy, c.Autoscaling.Request, c.SchedulerName = config.Fragmentation, config.RequestBuffers, "own"
			}},
	} {
		t.Run(name, func(t *testing.T) {
			r := render(t, c.set...)
			want := config.NewSchedulerConfiguration()
			want.LeaderElection.ResourceNamespace, want.Serving.BindAddress = "ns", "0.0.0.0"
			c.want(want)
			got, err := config.ParseScheduler([]byte(r.settings.Data["scheduler.yaml"]))
			if err != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("the scheduler reads\n%+v, error %v, want\n%+v", got, err, want)
			}
			if !reflect.DeepEqual(r.clusterRole.Rules, c.rules) {
				t.Errorf("it may do %v everywhere", r.clusterRole.Rules)
			}
			r.check(t)
		})
	}
}

func TestTheChartGivesTheOperatorsTheirConfigurationAndTheirRights(t *testing.T) {
	r := renderPart(t, "operators", `schedulerName="own"`, `operators.config={"spark":{"workers":3}}`)
	want := config.NewOperatorsConfiguration()
	want.LeaderElection.ResourceNamespace, want.Serving.BindAddress = "ns", "0.0.0.0"
	want.Spark.SchedulerName, want.Spark.Workers, want.TensorFlow.SchedulerName = "own", 3, "own"
	got, err := config.ParseOperators([]byte(r.settings.Data["operators.yaml"]))
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("the operators read\n%+v, error %v, want\n%+v", got, err, want)
	}
	if !reflect.DeepEqual(r.clusterRole.Rules, OperatorsClusterRules()) {
		t.Errorf("they may do %v everywhere", r.clusterRole.Rules)
	}
	if !reflect.DeepEqual(r.role.Rules, OperatorsNamespaceRules()) || r.role.Namespace != "ns" {
		t.Errorf("in %s they may do %v", r.role.Namespace, r.role.Rules)
	}
	if r.deployment.Spec.Template.Spec.ServiceAccountName != r.account.Name || r.clusterwide.Subjects[0].Name != r.account.Name {
		t.Errorf("%v has the rights, and the pods are of %s", r.clusterwide.Subjects, r.deployment.Spec.Template.Spec.ServiceAccountName)
	}
}

func TestTheChartHasJobsRefusedUnlessItIsToldNotTo(t *testing.T) {
	var all []string
	for _, a := range JobAdmissions() {
		all = append(all, a.Policy.Name, a.Binding.Spec.PolicyName)
	}
	slices.Sort(all)
	for set, want := range map[string][]string{
		`operators.refuseAtAdmission=true`:  all,
		`operators.refuseAtAdmission=false`: nil,
		`operators.enabled=false`:           nil,
	} {
		r := renderPart(t, "operators", set)
		if slices.Sort(r.admissions); !slices.Equal(r.admissions, want) {
			t.Errorf("%s: the chart has %v, want %v", set, r.admissions, want)
		}
	}
}

// check holds the parts of a release against each other.
func (r *rendered) check(t *testing.T) {
	t.Helper()
	if !reflect.DeepEqual(r.role.Rules, SchedulerNamespaceRules()) || r.role.Namespace != "ns" {
		t.Errorf("in %s it may do %v", r.role.Namespace, r.role.Rules)
	}
	pod := r.deployment.Spec.Template
	who := []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Name: pod.Spec.ServiceAccountName, Namespace: r.deployment.Namespace}}
	if r.account.Name != who[0].Name || r.account.Namespace != who[0].Namespace {
		t.Errorf("the account is %s/%s, and the pods are of %v", r.account.Namespace, r.account.Name, who)
	}
	roles := map[rbacv1.RoleRef]string{
		{APIGroup: rbacv1.GroupName, Kind: "Role", Name: r.role.Name}:                                 "ns",
		{APIGroup: rbacv1.GroupName, Kind: "Role", Name: "extension-apiserver-authentication-reader"}: metav1.NamespaceSystem,
	}
	for _, b := range r.bindings {
		if roles[b.RoleRef] != b.Namespace || !reflect.DeepEqual(b.Subjects, who) {
			t.Errorf("in %s %v is for %v", b.Namespace, b.RoleRef, b.Subjects)
		}
		delete(roles, b.RoleRef)
	}
	everywhere := rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: r.clusterRole.Name}
	if len(roles) > 0 || r.clusterwide.RoleRef != everywhere || !reflect.DeepEqual(r.clusterwide.Subjects, who) {
		t.Errorf("%v everywhere for %v, and %v for nobody", r.clusterwide.RoleRef, r.clusterwide.Subjects, roles)
	}
	container := pod.Spec.Containers[0]
	if got := container.Args[0]; got != "--config="+container.VolumeMounts[0].MountPath+"/scheduler.yaml" || pod.Spec.Volumes[0].ConfigMap.Name != r.settings.Name {
		t.Errorf("it reads %s of %v", got, pod.Spec.Volumes[0])
	}
	if !reflect.DeepEqual(r.deployment.Spec.Selector.MatchLabels, pod.Labels) {
		t.Errorf("the Deployment selects %v of %v", r.deployment.Spec.Selector, pod.Labels)
	}
	var want []string
	for _, crd := range slices.Concat(CustomResourceDefinitions(), JobDefinitions()) {
		want = append(want, crd.Name)
	}
	slices.Sort(want)
	slices.Sort(r.definitions)
	if !slices.Equal(r.definitions, want) {
		t.Errorf("definitions %v, want %v", r.definitions, want)
	}
}

func TestTheChartTakesWhatADeploymentNeeds(t *testing.T) {
	r := render(t, `replicas=1`, `serviceAccount.name="who"`, `extraArgs=["--v=2"]`, `imagePullSecrets=[{"name":"pull"}]`,
		`podAnnotations={"a":"b"}`, `nodeSelector={"n":"s"}`, `tolerations=[{"operator":"Exists"}]`, `image.tag="1"`,
		`affinity={"nodeAffinity":{"preferredDuringSchedulingIgnoredDuringExecution":[{"weight":1,"preference":{"matchExpressions":[{"key":"k","operator":"Exists"}]}}]}}`)
	r.check(t)
	pod := r.deployment.Spec.Template
	if *r.deployment.Spec.Replicas != 1 || r.account.Name != "who" || pod.Spec.Containers[0].Args[1] != "--v=2" ||
		pod.Spec.ImagePullSecrets[0].Name != "pull" || pod.Annotations["a"] != "b" || pod.Spec.NodeSelector["n"] != "s" ||
		pod.Spec.Tolerations[0].Operator != corev1.TolerationOpExists || pod.Spec.Affinity.NodeAffinity == nil ||
		pod.Spec.Containers[0].Image != "registry.example.com/muster:1" {
		t.Errorf("it makes %+v", r.deployment.Spec)
	}
}

// historyServer is the least that must be set to have one.
var historyServer = []string{
	`historyServer.enabled=true`, `historyServer.image="spark:4.3.0"`, `historyServer.volume={"persistentVolumeClaim":{"claimName":"events"}}`,
}

func TestTheChartHasAHistoryServerThatTheOperatorsLeadTo(t *testing.T) {
	r := renderPart(t, "spark-history", append(historyServer, `historyServer.logDirectory="file:///events"`,
		`historyServer.sparkConf={"spark.history.fs.update.interval":"1s","spark.history.ui.port":"1"}`, `historyServer.env=[{"name":"A","value":"b"}]`,
		`historyServer.serviceAccountName="who"`)...)
	const settings = "spark.history.fs.logDirectory=file:///events\nspark.history.fs.update.interval=1s\nspark.history.ui.port=18080\n"
	if got := r.settings.Data["spark.properties"]; got != settings {
		t.Errorf("its settings are\n%s, want\n%s", got, settings)
	}
	pod := r.deployment.Spec.Template
	container := pod.Spec.Containers[0]
	mounts, volumes := map[string]string{}, map[string]corev1.VolumeSource{}
	for _, m := range container.VolumeMounts {
		mounts[m.Name] = m.MountPath
	}
	for _, v := range pod.Spec.Volumes {
		volumes[v.Name] = v.VolumeSource
	}
	for what, good := range map[string]bool{
		"events":    mounts["events"] == "/events" && volumes["events"].PersistentVolumeClaim.ClaimName == "events",
		"settings":  container.Args[1] == mounts["settings"]+"/spark.properties" && volumes["settings"].ConfigMap.Name == r.settings.Name,
		"scratch":   mounts["scratch"] == "/tmp" && volumes["scratch"].EmptyDir != nil,
		"image":     container.Image == "spark:4.3.0",
		"account":   pod.Spec.ServiceAccountName == "who" && !*pod.Spec.AutomountServiceAccountToken,
		"variables": container.Env[0].Value == "1g" && container.Env[1] == corev1.EnvVar{Name: "A", Value: "b"},
		"labels":    reflect.DeepEqual(r.deployment.Spec.Selector.MatchLabels, pod.Labels),
		"service": reflect.DeepEqual(r.service.Spec.Selector, pod.Labels) && r.service.Spec.Ports[0].TargetPort.StrVal == container.Ports[0].Name &&
			r.service.Spec.Ports[0].Port == container.Ports[0].ContainerPort,
	} {
		if !good {
			t.Errorf("its %s are not as asked for: %+v, %+v", what, r.deployment.Spec, r.service.Spec)
		}
	}
}

func TestTheOperatorsKnowTheChartsHistoryServer(t *testing.T) {
	for name, c := range map[string]struct {
		set  []string
		want string
	}{
		"there is none":               {nil, ""},
		"within the cluster":          {historyServer, "http://r-spark-history.ns:18080"},
		"people find it elsewhere":    {append(historyServer, `historyServer.url="https://history.example.com"`), "https://history.example.com"},
		"the configuration says more": {append(historyServer, `operators.config={"spark":{"historyServer":"https://own.example.com"}}`), "https://own.example.com"},
		"there is one of another's":   {[]string{`operators.config={"spark":{"historyServer":"https://own.example.com"}}`}, "https://own.example.com"},
	} {
		t.Run(name, func(t *testing.T) {
			r := renderPart(t, "operators", c.set...)
			got, err := config.ParseOperators([]byte(r.settings.Data["operators.yaml"]))
			if err != nil || got.Spark.HistoryServer != c.want {
				t.Errorf("the operators know %q (%v)", got.Spark.HistoryServer, err)
			}
		})
	}
}

func TestTheChartRefusesAHistoryServerThatCanNotWork(t *testing.T) {
	for want, set := range map[string]string{
		"historyServer.image is an image with Spark": `historyServer.logDirectory="s3a://bucket/events"`,
		"historyServer.volume is what the folder of": `historyServer.image="spark:4.3.0"`,
	} {
		if _, err := helm(t, image, `historyServer.enabled=true`, set); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %s", err, want)
		}
	}
}

func TestTheChartAsksForAnImage(t *testing.T) {
	_, err := helm(t)
	if err == nil || !strings.Contains(err.Error(), "image.repository is the image of muster-scheduler") {
		t.Errorf("error %v", err)
	}
}
