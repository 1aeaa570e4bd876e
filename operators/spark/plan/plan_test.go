package plan

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/kubeflow/spark-operator/v2/api/v1beta2"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/yaml"

	"muster.sh/muster/internal/sparkconf"
)

var (
	first   = NewSubmission(&v1beta2.SparkApplication{Status: begun(1, 1700000000)})
	options = Options{SchedulerName: "muster", User: "spark"}
)

func begun(number int32, at int64) v1beta2.SparkApplicationStatus {
	return v1beta2.SparkApplicationStatus{SubmissionAttempts: number, LastSubmissionAttemptTime: metav1.Unix(at, 0)}
}

// application is a small one, with what a row adds to its spec as YAML.
func application(t *testing.T, more string) *v1beta2.SparkApplication {
	t.Helper()
	app := &v1beta2.SparkApplication{}
	const base = `
metadata: {name: pi, namespace: team-a, uid: uid}
spec:
  type: Scala
  sparkVersion: 4.3.0
  image: spark:4.3.0
  mainClass: Pi
  mainApplicationFile: local:///pi.jar
`
	for _, text := range []string{base, more} {
		if err := yaml.UnmarshalStrict([]byte(text), app); err != nil {
			t.Fatal(err)
		}
	}
	return app
}

func planned(t *testing.T, more string) Plan {
	t.Helper()
	plan, err := Make(application(t, more), first, options)
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

// stored are the settings that a plan's driver will read.
func stored(t *testing.T, plan Plan) sparkconf.Properties {
	t.Helper()
	config := plan.Owned[len(plan.Owned)-1].(*corev1.ConfigMap)
	props, err := sparkconf.ReadProperties(config.Data["spark.properties"])
	if err != nil {
		t.Fatal(err)
	}
	return props
}

// executorTemplate is the pod that a plan's executors begin as.
func executorTemplate(t *testing.T, plan Plan) *corev1.Pod {
	t.Helper()
	for _, object := range plan.Owned {
		if config, ok := object.(*corev1.ConfigMap); ok && config.Data["podspec-configmap-key"] != "" {
			pod, err := sparkconf.ReadTemplate(config.Data["podspec-configmap-key"])
			if err != nil {
				t.Fatal(err)
			}
			return pod
		}
	}
	t.Fatal("there is no template for executors")
	return nil
}

func TestFieldsBecomeSettings(t *testing.T) {
	for name, test := range map[string]struct {
		spec string
		want sparkconf.Properties
	}{
		"defaults": {"", sparkconf.Properties{
			"spark.app.name": "pi", "spark.kubernetes.namespace": "team-a", "spark.kubernetes.driver.pod.name": "pi-driver",
			"spark.driver.cores": "1", "spark.driver.memory": "1g", "spark.executor.cores": "1", "spark.executor.memory": "1g",
			"spark.executor.instances": "1", "spark.kubernetes.scheduler.name": "muster"}},
		"resources": {`
spec:
  driver: {cores: 2, coreRequest: 1500m, coreLimit: "3", memory: 2g, memoryOverhead: 512m}
  executor: {instances: 3, cores: 4, coreRequest: "3", coreLimit: "5", memory: 4g, memoryOverhead: 1g, deleteOnTermination: false}
  memoryOverheadFactor: "0.2"
`, sparkconf.Properties{
			"spark.driver.cores": "2", "spark.kubernetes.driver.request.cores": "1500m", "spark.kubernetes.driver.limit.cores": "3",
			"spark.driver.memory": "2g", "spark.driver.memoryOverhead": "512m", "spark.executor.instances": "3", "spark.executor.cores": "4",
			"spark.kubernetes.executor.request.cores": "3", "spark.kubernetes.executor.limit.cores": "5", "spark.executor.memory": "4g",
			"spark.executor.memoryOverhead": "1g", "spark.kubernetes.executor.deleteOnTermination": "false", "spark.kubernetes.memoryOverheadFactor": "0.2"}},
		"images": {`
spec:
  imagePullPolicy: Always
  imagePullSecrets: [a, b]
  driver: {image: "driver:1"}
`, sparkconf.Properties{
			"spark.kubernetes.container.image": "spark:4.3.0", "spark.kubernetes.driver.container.image": "driver:1",
			"spark.kubernetes.executor.container.image": "spark:4.3.0", "spark.kubernetes.container.image.pullPolicy": "Always",
			"spark.kubernetes.container.image.pullSecrets": "a,b"}},
		"fields win over sparkConf": {`
spec:
  sparkConf: {spark.driver.memory: 9g, spark.executor.instances: "9", spark.kubernetes.container.image.pullPolicy: Never, spark.x: "y"}
  imagePullPolicy: Always
  driver: {memory: 2g}
  hadoopConf: {fs.defaultFS: "s3a://b"}
`, sparkconf.Properties{
			"spark.driver.memory": "2g", "spark.executor.instances": "9", "spark.kubernetes.container.image.pullPolicy": "Never",
			"spark.x": "y", "spark.hadoop.fs.defaultFS": "s3a://b"}},
		"dependencies": {`
spec:
  deps:
    jars: ["local:///a.jar", "https://example.com/b.jar"]
    files: ["https://example.com/f"]
    pyFiles: ["local:///p.py"]
    archives: ["https://example.com/a.tgz#env"]
    packages: ["a:b:1", "c:d:2"]
    excludePackages: ["e:f"]
    repositories: ["https://example.com/maven"]
`, sparkconf.Properties{
			"spark.jars": "local:///a.jar,https://example.com/b.jar,local:///pi.jar", "spark.files": "https://example.com/f",
			"spark.submit.pyFiles": "local:///p.py", "spark.archives": "https://example.com/a.tgz#env", "spark.jars.packages": "a:b:1,c:d:2",
			"spark.jars.excludes": "e:f", "spark.jars.repositories": "https://example.com/maven"}},
		"dynamic allocation": {`
spec:
  dynamicAllocation: {enabled: true, initialExecutors: 2, minExecutors: 1, maxExecutors: 5, shuffleTrackingTimeout: 6000}
`, sparkconf.Properties{
			"spark.dynamicAllocation.enabled": "true", "spark.dynamicAllocation.initialExecutors": "2", "spark.dynamicAllocation.minExecutors": "1",
			"spark.dynamicAllocation.maxExecutors": "5", "spark.dynamicAllocation.shuffleTracking.enabled": "true",
			"spark.dynamicAllocation.shuffleTracking.timeout": "6000"}},
		"places": {`
spec:
  driver: {nodeSelector: {disk: ssd}, schedulerName: other, serviceAccount: spark, javaOptions: -Da=b, kubernetesMaster: "https://10.0.0.1"}
  executor: {nodeSelector: {disk: hdd}, serviceAccount: worker, javaOptions: -Dc=d}
`, sparkconf.Properties{
			"spark.kubernetes.driver.node.selector.disk": "ssd", "spark.kubernetes.executor.node.selector.disk": "hdd",
			"spark.kubernetes.driver.scheduler.name":                    "other",
			"spark.kubernetes.authenticate.driver.serviceAccountName":   "spark",
			"spark.kubernetes.authenticate.executor.serviceAccountName": "worker", "spark.driver.extraJavaOptions": "-Da=b",
			"spark.executor.extraJavaOptions": "-Dc=d", "spark.kubernetes.driver.master": "https://10.0.0.1"}},
		"labels, annotations, variables and secrets": {`
metadata: {labels: {team: a, kueue.x-k8s.io/queue-name: q}}
spec:
  driver:
    labels: {l: "1"}
    annotations: {a: "2"}
    envVars: {E: "3"}
    envSecretKeyRefs: {P: {name: db, key: password}}
    secrets: [{name: gcp, path: /mnt/gcp, secretType: GCPServiceAccount}]
    serviceLabels: {s: "4"}
    serviceAnnotations: {t: "5"}
  executor:
    envVars: {E: "6"}
    secrets: [{name: hadoop, path: /mnt/hadoop, secretType: HadoopDelegationToken}]
`, sparkconf.Properties{
			"spark.kubernetes.driver.label.team": "a", "spark.kubernetes.executor.label.team": "a", "spark.kubernetes.driver.label.l": "1",
			"spark.kubernetes.driver.label.sparkoperator.k8s.io/app-name":                     "pi",
			"spark.kubernetes.executor.label.sparkoperator.k8s.io/launched-by-spark-operator": "true",
			"spark.kubernetes.executor.label.sparkoperator.k8s.io/submission-id":              first.ID,
			"spark.kubernetes.driver.annotation.a":                                            "2", "spark.kubernetes.driverEnv.E": "3",
			"spark.kubernetes.driver.secretKeyRef.P": "db:password", "spark.kubernetes.driver.secrets.gcp": "/mnt/gcp",
			"spark.kubernetes.driverEnv.GOOGLE_APPLICATION_CREDENTIALS": "/mnt/gcp/key.json",
			"spark.kubernetes.driver.service.label.s":                   "4", "spark.kubernetes.driver.service.annotation.t": "5", "spark.executorEnv.E": "6",
			"spark.kubernetes.executor.secrets.hadoop":     "/mnt/hadoop",
			"spark.executorEnv.HADOOP_TOKEN_FILE_LOCATION": "/mnt/hadoop/hadoop.token"}},
		"a batch scheduler and its queue": {`
spec:
  batchScheduler: volcano
  batchSchedulerOptions: {queue: gold, priorityClassName: urgent}
  driver: {schedulerName: other}
`, sparkconf.Properties{
			"spark.kubernetes.driver.scheduler.name": "muster", "spark.kubernetes.executor.scheduler.name": "muster",
			"spark.kubernetes.driver.annotation.scheduling.volcano.sh/queue-name":   "gold",
			"spark.kubernetes.executor.annotation.scheduling.volcano.sh/queue-name": "gold",
			"spark.kubernetes.driver.label.muster.sh/queue":                         "gold",
			"spark.kubernetes.executor.label.muster.sh/queue":                       "gold"}},
		"a limit of executors' memory is made by their overhead": {`
spec: {executor: {memory: 1g, memoryLimit: 3g}}
`, sparkconf.Properties{"spark.executor.memoryOverhead": "2048m"}},
		"configurations of executors": {`
spec: {sparkConfigMap: spark-conf, hadoopConfigMap: hadoop-conf}
`, sparkconf.Properties{"spark.executorEnv.SPARK_CONF_DIR": "/etc/spark/conf", "spark.executorEnv.HADOOP_CONF_DIR": "/etc/hadoop/conf"}},
		"metrics": {`
spec: {monitoring: {exposeDriverMetrics: true, prometheus: {jmxExporterJar: /jmx.jar, port: 8091}}, driver: {javaOptions: -Da=b}}
`, sparkconf.Properties{
			"spark.metrics.namespace": "team-a.pi", "spark.metrics.conf": "/etc/metrics/conf/metrics.properties",
			"spark.driver.extraJavaOptions":                         "-Da=b -javaagent:/jmx.jar=8091:/etc/metrics/conf/prometheus.yaml",
			"spark.kubernetes.driver.annotation.prometheus.io/port": "8091"}},
	} {
		t.Run(name, func(t *testing.T) {
			props := stored(t, planned(t, test.spec))
			for _, key := range slices.Sorted(maps.Keys(test.want)) {
				if props[key] != test.want[key] {
					t.Errorf("%s is %q, not %q", key, props[key], test.want[key])
				}
			}
			if _, set := props["spark.kubernetes.driver.label.kueue.x-k8s.io/queue-name"]; set {
				t.Error("a pod has a label of Kueue's, which would make it a workload of its own")
			}
		})
	}
}

// podFields are all fields that a webhook would be needed for.
const podFields = `
    env: [{name: A, value: b}]
    envFrom: [{secretRef: {name: all}}]
    configMaps: [{name: files, path: /files}]
    volumeMounts: [{name: data, mountPath: /data, subPath: a}, {name: spark-local-dir-1, mountPath: /fast}]
    affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: [{matchExpressions: [{key: a, operator: Exists}]}]}}}
    tolerations: [{key: spark, operator: Exists}]
    podSecurityContext: {fsGroup: 185}
    securityContext: {runAsUser: 185, allowPrivilegeEscalation: true}
    sidecars: [{name: logger, image: logger}]
    initContainers: [{name: fetch, image: fetch}]
    hostNetwork: true
    dnsConfig: {nameservers: [10.0.0.10]}
    terminationGracePeriodSeconds: 60
    hostAliases: [{ip: 10.0.0.1, hostnames: [a]}]
    shareProcessNamespace: true
    lifecycle: {preStop: {exec: {command: [a]}}}
    ports: [{name: extra, protocol: TCP, containerPort: 9999}]
    priorityClassName: high
    gpu: {name: nvidia.com/gpu, quantity: 2}
`

const podFieldsSpec = `
spec:
  volumes: [{name: data, persistentVolumeClaim: {claimName: data}}, {name: spark-local-dir-1, emptyDir: {sizeLimit: 1Gi}}, {name: unused, emptyDir: {}}]
  driver:` + podFields + `
  executor:` + podFields

func TestPodsNeedNoWebhook(t *testing.T) {
	plan := planned(t, podFieldsSpec)
	driver := plan.Driver.Spec
	executor := executorTemplate(t, plan).Spec
	checkPodFields(t, "driver", driver, driver.Containers[len(driver.Containers)-1])
	checkPodFields(t, "executor", executor, executor.Containers[0])

	folders := ""
	for _, variable := range driver.Containers[len(driver.Containers)-1].Env {
		if variable.Name == "SPARK_LOCAL_DIRS" {
			folders = variable.Value
		}
	}
	if folders != "/fast" {
		t.Errorf("Spark's own data of the driver is in %q, not in the volume for it", folders)
	}
	if stored(t, plan)["spark.kubernetes.executor.securityContext.allowPrivilegeEscalation"] != "true" {
		t.Error("executors aren't told that privileges may grow")
	}
}

func checkPodFields(t *testing.T, name string, spec corev1.PodSpec, c corev1.Container) {
	t.Helper()
	volumes := map[string]bool{}
	for _, v := range spec.Volumes {
		volumes[v.Name] = true
	}
	mounts := map[string]string{}
	for _, m := range c.VolumeMounts {
		mounts[m.Name] = m.MountPath
	}
	gpus := c.Resources.Limits["nvidia.com/gpu"]
	for what, good := range map[string]bool{
		"env":             slices.ContainsFunc(c.Env, func(e corev1.EnvVar) bool { return e.Name == "A" && e.Value == "b" }),
		"envFrom":         len(c.EnvFrom) == 1 && c.EnvFrom[0].SecretRef.Name == "all",
		"configMaps":      volumes["files-vol"] && mounts["files-vol"] == "/files",
		"volumeMounts":    volumes["data"] && mounts["data"] == "/data" && volumes["spark-local-dir-1"] && !volumes["unused"],
		"affinity":        spec.Affinity != nil && spec.Affinity.NodeAffinity != nil,
		"tolerations":     len(spec.Tolerations) == 1,
		"security":        spec.SecurityContext != nil && *spec.SecurityContext.FSGroup == 185,
		"securityContext": c.SecurityContext != nil && *c.SecurityContext.RunAsUser == 185 && *c.SecurityContext.AllowPrivilegeEscalation,
		"sidecars":        slices.ContainsFunc(spec.Containers, func(c corev1.Container) bool { return c.Name == "logger" }),
		"initContainers":  len(spec.InitContainers) == 1,
		"hostNetwork":     spec.HostNetwork && spec.DNSPolicy == corev1.DNSClusterFirstWithHostNet,
		"dnsConfig":       spec.DNSConfig != nil,
		"grace":           spec.TerminationGracePeriodSeconds != nil && *spec.TerminationGracePeriodSeconds == 60,
		"hostAliases":     len(spec.HostAliases) == 1,
		"processes":       spec.ShareProcessNamespace != nil && *spec.ShareProcessNamespace,
		"lifecycle":       c.Lifecycle != nil,
		"ports":           slices.ContainsFunc(c.Ports, func(p corev1.ContainerPort) bool { return p.ContainerPort == 9999 }),
		"priority":        spec.PriorityClassName == "high",
		"gpu":             gpus.Value() == 2,
	} {
		if !good {
			t.Errorf("the %s's %s are not as asked for", name, what)
		}
	}
}

func TestObjectsBelongToTheirOwners(t *testing.T) {
	plan := planned(t, "spec: {monitoring: {exposeDriverMetrics: true}}")
	owners := plan.Driver.OwnerReferences
	if len(owners) != 1 || owners[0].Kind != "SparkApplication" || owners[0].UID != "uid" || !*owners[0].Controller {
		t.Errorf("the driver belongs to %v", owners)
	}
	if owners := plan.WebUI.Service.OwnerReferences; len(owners) != 1 || owners[0].Kind != "SparkApplication" {
		t.Errorf("the Service for the driver's pages belongs to %v", owners)
	}
	metrics, ok := plan.Owned[0].(*corev1.ConfigMap)
	if !ok || metrics.Data["metrics.properties"] == "" {
		t.Errorf("the first object of the driver is %v, not the configuration of metrics", plan.Owned[0])
	}
}

func TestExecutorsFindADriverThatIsNotReadyYet(t *testing.T) {
	const probed = "spec: {driver: {template: {spec: {containers: [{name: spark-kubernetes-driver, %s: {tcpSocket: {port: 15002}}}]}}}}"
	for name, test := range map[string]struct {
		specs []string
		want  bool
	}{
		"no probe":             {nil, false},
		"a probe of life":      {[]string{fmt.Sprintf(probed, "livenessProbe")}, false},
		"a probe of readiness": {[]string{fmt.Sprintf(probed, "readinessProbe")}, true},
		"a probe of the start": {[]string{fmt.Sprintf(probed, "startupProbe")}, true},
		"a setting forbids it": {[]string{fmt.Sprintf(probed, "readinessProbe"), `spec: {sparkConf: {` + keyNotReady + `: "false"}}`}, false},
	} {
		for _, version := range []string{"3.5.9", "4.3.0"} {
			t.Run(name+" in "+version, func(t *testing.T) {
				app := application(t, "spec: {sparkVersion: "+version+"}")
				for _, spec := range test.specs {
					if err := yaml.UnmarshalStrict([]byte(spec), app); err != nil {
						t.Fatal(err)
					}
				}
				plan, err := Make(app, first, options)
				if err != nil {
					t.Fatal(err)
				}
				services := 0
				for _, object := range plan.Owned {
					if service, ok := object.(*corev1.Service); ok {
						services++
						if got := service.Spec.PublishNotReadyAddresses; got != test.want {
							t.Errorf("its Service leads to a driver that is not ready: %v", got)
						}
					}
				}
				if services != 1 {
					t.Errorf("the driver has %d Services", services)
				}
			})
		}
	}
}

func TestADriversOwnLimitOfMemory(t *testing.T) {
	plan := planned(t, "spec: {driver: {memory: 1g, memoryLimit: 3Gi}}")
	resources := sparkContainer(&plan.Driver.Spec).Resources
	if got := resources.Limits.Memory().String(); got != "3Gi" {
		t.Errorf("the limit is %s, not 3Gi", got)
	}
	if got := resources.Requests.Memory().String(); got != "1408Mi" {
		t.Errorf("the request is %s, not 1408Mi", got)
	}
}

func TestARefusalNamesItsField(t *testing.T) {
	for name, test := range map[string]struct{ spec, field string }{
		"retries in words":               {"metadata: {annotations: {muster.sh/infrastructure-retries: many}}", "metadata.annotations[muster.sh/infrastructure-retries]"},
		"client mode":                    {"spec: {mode: client}", "spec.mode"},
		"an old line of Spark":           {"spec: {sparkVersion: 3.1.1}", "spec.sparkVersion"},
		"no class":                       {"spec: {mainClass: ''}", "spec.mainClass"},
		"a program that isn't there":     {"spec: {mainApplicationFile: pi.jar}", "spec.mainApplicationFile"},
		"memory of the driver":           {"spec: {driver: {memory: 1.5g}}", "spec.driver.memory"},
		"memory in sparkConf":            {"spec: {sparkConf: {spark.driver.memory: 1.5g}}", "spec.sparkConf[spark.driver.memory]"},
		"a core request":                 {"spec: {driver: {coreRequest: many}}", "spec.driver.coreRequest"},
		"executors above the most":       {"spec: {dynamicAllocation: {enabled: true, initialExecutors: 5, maxExecutors: 2}}", "spec.dynamicAllocation.maxExecutors"},
		"a local jar":                    {"spec: {deps: {jars: [/a.jar]}}", "spec.deps.jars"},
		"a mount without a volume":       {"spec: {driver: {volumeMounts: [{name: a, mountPath: /a}]}}", "spec.driver.volumeMounts[0].name"},
		"a scheduler that nobody knows":  {"spec: {batchScheduler: mine}", "spec.batchScheduler"},
		"GPUs without a vendor":          {"spec: {executor: {gpu: {name: gpu, quantity: 1}}}", "spec.executor.gpu.name"},
		"no GPUs":                        {"spec: {driver: {gpu: {name: nvidia.com/gpu, quantity: 0}}}", "spec.driver.gpu.quantity"},
		"node selectors twice":           {"spec: {nodeSelector: {a: b}, driver: {nodeSelector: {a: c}}}", "spec.driver.nodeSelector"},
		"another master":                 {"spec: {sparkConf: {spark.master: 'k8s://x'}}", "spec.sparkConf[spark.master]"},
		"another namespace":              {"spec: {sparkConf: {spark.kubernetes.namespace: b}}", "spec.sparkConf[spark.kubernetes.namespace]"},
		"a name that isn't a Service's":  {"metadata: {name: 2nd}", "metadata.name"},
		"a label of Spark's":             {"spec: {driver: {labels: {spark-role: a}}}", "spec.driver.labels[spark-role]"},
		"a limit below the request":      {"spec: {driver: {memoryLimit: 1g}}", "spec.driver.memoryLimit"},
		"an executor's limit below it":   {"spec: {executor: {memoryLimit: 1g}}", "spec.executor.memoryLimit"},
		"a limit that isn't a size":      {"spec: {executor: {memoryLimit: lots}}", "spec.executor.memoryLimit"},
		"a claim that Spark should make": {"spec: {volumes: [{name: a, persistentVolumeClaim: {claimName: OnDemand}}]}", "spec.volumes[0].persistentVolumeClaim.claimName"},
		"no image":                       {"spec: {image: ''}", "spec.sparkConf[spark.kubernetes.container.image]"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Make(application(t, test.spec), first, options)
			if err == nil || !strings.Contains(err.Error(), test.field+":") {
				t.Errorf("the error is %v, but should name %s", err, test.field)
			}
		})
	}
}

func TestASubmissionIsKnownByWhatWasSubmittedAndWhen(t *testing.T) {
	app := application(t, "")
	app.Status = begun(1, 1700000000)
	same := app.DeepCopy()
	same.Spec.Suspend, same.Spec.TimeToLiveSeconds = ptr.To(true), ptr.To[int64](5)
	same.Spec.RestartPolicy.Type = v1beta2.RestartPolicyAlways
	if NewSubmission(app) != NewSubmission(same) {
		t.Error("what doesn't matter to a submission makes another one")
	}
	later, again, other, edited := app.DeepCopy(), app.DeepCopy(), app.DeepCopy(), app.DeepCopy()
	later.Status, again.Status, other.UID, edited.Spec.Image = begun(1, 1700000001), begun(2, 1700000000), "other", ptr.To("new")
	seen := map[string]bool{}
	for _, a := range []*v1beta2.SparkApplication{app, later, again, other, edited} {
		s := NewSubmission(a)
		seen[s.ID], seen[s.AppID], seen[s.UniqueID] = true, true, true
	}
	if len(seen) != 15 {
		t.Errorf("five submissions have %d names, not 15", len(seen))
	}
}

func TestAnEditIsSeen(t *testing.T) {
	app := application(t, "")
	app.Status = begun(1, 1700000000)
	app.Status.SubmissionID = NewSubmission(app).ID
	if Edited(app) {
		t.Error("an application is edited that is as it was")
	}
	app.Spec.Arguments = []string{"10"}
	if Edited(app) {
		t.Error("an application is edited that nobody has written to")
	}
	app.Generation++
	if !Edited(app) {
		t.Error("an edit isn't seen")
	}
	app.Spec.Arguments, app.Spec.TimeToLiveSeconds = nil, ptr.To[int64](5)
	if Edited(app) {
		t.Error("an edit that doesn't matter to a submission makes another one")
	}
	app.Status.SubmissionID = "0f8fad5b-d9cb-469f-a165-70867728950e"
	if Edited(app) {
		t.Error("the submission of another operator's is taken for an edited one")
	}
}

// The same application makes the same plan, and is left as it was.
func TestPlansAreRepeatable(t *testing.T) {
	app := application(t, podFieldsSpec)
	before := app.DeepCopy()
	one, err := Make(app, first, options)
	if err != nil {
		t.Fatal(err)
	}
	other, err := Make(app, first, options)
	if err != nil || !equality.Semantic.DeepEqual(one, other) {
		t.Errorf("two plans of one application differ (%v)", err)
	}
	if !equality.Semantic.DeepEqual(app, before) {
		t.Error("planning changed the application")
	}
}

// The examples of Kubeflow's operator are applied as they are.
func TestUpstreamsExamplesAreTaken(t *testing.T) {
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/kubeflow/spark-operator/v2").Output()
	if err != nil {
		t.Fatalf("find the module: %v", err)
	}
	paths, err := filepath.Glob(filepath.Join(strings.TrimSpace(string(dir)), "examples", "*.yaml"))
	if err != nil || len(paths) < 10 {
		t.Fatalf("found %d examples (%v)", len(paths), err)
	}
	for _, path := range paths {
		t.Run(filepath.Base(path), func(t *testing.T) {
			for _, app := range applications(t, path) {
				if _, err := Make(app, first, options); err != nil {
					t.Errorf("%s is refused: %v", app.Name, err)
				}
			}
		})
	}
}

// applications are those of a file, and the templates of scheduled ones.
func applications(t *testing.T, path string) []*v1beta2.SparkApplication {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var found []*v1beta2.SparkApplication
	// A placeholder for the image is no YAML.
	filled := strings.ReplaceAll(string(text), "{IMAGE_REGISTRY}/{IMAGE_REPOSITORY}/", "")
	for document := range strings.SplitSeq(filled, "\n---\n") {
		app, scheduled := &v1beta2.SparkApplication{}, &v1beta2.ScheduledSparkApplication{}
		if err := yaml.Unmarshal([]byte(document), app); err != nil {
			t.Fatal(err)
		}
		switch app.Kind {
		case "SparkApplication":
			found = append(found, app)
		case "ScheduledSparkApplication":
			if err := yaml.Unmarshal([]byte(document), scheduled); err != nil {
				t.Fatal(err)
			}
			app.Spec = scheduled.Spec.Template
			found = append(found, app)
		}
	}
	return found
}
