package conformance

var placementCases = []Case{
	{Name: "node selectors", Conf: conf{
		"spark.kubernetes.node.selector.disk": "ssd", "spark.kubernetes.node.selector.zone": "a",
		"spark.kubernetes.driver.node.selector.zone": "b", "spark.kubernetes.executor.node.selector.zone": "c"}},
	{Name: "a scheduler for both pods", Conf: conf{"spark.kubernetes.scheduler.name": "muster"}},
	{Name: "a scheduler for drivers wins", Conf: conf{"spark.kubernetes.scheduler.name": "muster", "spark.kubernetes.driver.scheduler.name": "other"}},
	{Name: "a scheduler for executors changes no driver", Conf: conf{"spark.kubernetes.executor.scheduler.name": "muster"}},
}

const fullTemplate = `
apiVersion: v1
kind: Pod
metadata:
  name: not-this-one
  namespace: nor-this
  labels: {team: a, spark-role: cook}
  annotations: {note: from the template}
  ownerReferences:
  - {apiVersion: v1, kind: ConfigMap, name: owner, uid: 11111111-2222-3333-4444-666666666666}
spec:
  restartPolicy: Always
  priorityClassName: batch
  schedulerName: from-template
  serviceAccountName: from-template
  nodeSelector: {disk: hdd, arch: amd64}
  imagePullSecrets: [{name: from-template}]
  tolerations:
  - {key: dedicated, operator: Equal, value: spark, effect: NoSchedule}
  volumes:
  - {name: config, configMap: {name: app-config}}
  initContainers:
  - {name: fetch, image: fetch, args: [a, b]}
  containers:
  - {name: logger, image: logger}
  - name: main
    image: ignored
    imagePullPolicy: Never
    args: [kept, before]
    env: [{name: FROM_TEMPLATE, value: "1"}]
    ports: [{name: metrics, containerPort: 8090}]
    volumeMounts: [{name: config, mountPath: /etc/app}]
    securityContext: {runAsUser: 185, runAsNonRoot: true}
    resources:
      requests: {cpu: 7, memory: 9Gi, ephemeral-storage: 20Gi}
      limits: {cpu: 8, memory: 9Gi}
`

const bareTemplate = "apiVersion: v1\nkind: Pod\nspec:\n  tolerations: [{operator: Exists}]\n  containers: []\n"

const driverContainer = "spark.kubernetes.driver.podTemplateContainerName"

var templateCases = []Case{
	{Name: "a full template whose first container is Spark's", DriverTemplate: fullTemplate},
	{Name: "a full template with a named container", DriverTemplate: fullTemplate, Conf: conf{driverContainer: "main"}},
	{Name: "a full template with settings that win", DriverTemplate: fullTemplate, Conf: conf{
		driverContainer: "main", "spark.kubernetes.scheduler.name": "muster", "spark.kubernetes.node.selector.disk": "ssd",
		"spark.kubernetes.driver.label.team": "b", "spark.kubernetes.driver.annotation.note": "from the settings",
		"spark.kubernetes.authenticate.driver.serviceAccountName": "spark", "spark.kubernetes.container.image.pullSecrets": "own",
		"spark.kubernetes.driver.limit.cores": "3", "spark.kubernetes.driver.secrets.keys": "/etc/keys"}},
	{Name: "a container that the template lacks", DriverTemplate: fullTemplate, Conf: conf{driverContainer: "third"}},
	{Name: "a template without containers", DriverTemplate: bareTemplate},
	{Name: "a template for executors", ExecutorTemplate: fullTemplate},
	{Name: "templates for both", DriverTemplate: bareTemplate, ExecutorTemplate: bareTemplate},
	{Name: "a template with volumes for Spark's own data", DriverTemplate: `
apiVersion: v1
kind: Pod
spec:
  volumes: [{name: spark-local-dir-1, emptyDir: {sizeLimit: 10Gi}}]
  containers: [{name: main, volumeMounts: [{name: spark-local-dir-1, mountPath: /scratch}]}]
`},
	{Name: "a template that says what Spark says", DriverTemplate: `
apiVersion: v1
kind: Pod
spec:
  securityContext: {fsGroup: 185}
  containers: [{name: main, securityContext: {allowPrivilegeEscalation: true}}]
`},
	{Name: "a template that isn't YAML", DriverTemplate: "{"},
}

var securityCases = []Case{
	{Name: "a service account", Conf: conf{"spark.kubernetes.authenticate.driver.serviceAccountName": "spark"}},
	{Name: "a service account for executors", Conf: conf{"spark.kubernetes.authenticate.executor.serviceAccountName": "spark-executor"}},
	{Name: "a token for the driver", Conf: conf{"spark.kubernetes.authenticate.driver.oauthToken": "secret", "spark.kubernetes.authenticate.driver.serviceAccountName": "spark"}},
	{Name: "a token file in the driver's pod", Conf: conf{"spark.kubernetes.authenticate.driver.mounted.oauthTokenFile": "/etc/token"}},
	{Name: "a certificate that isn't there", Conf: conf{"spark.kubernetes.authenticate.driver.caCertFile": "/nowhere/ca.crt"}},
	{Name: "privileges may grow", Conf: conf{"spark.kubernetes.driver.securityContext.allowPrivilegeEscalation": "true"}},
	{Name: "privileges of both pods may grow", Conf: conf{"spark.kubernetes.securityContext.allowPrivilegeEscalation": "true"}},
	{Name: "without the policy for the network", Conf: conf{
		"spark.kubernetes.driver.pod.excludedFeatureSteps": "org.apache.spark.deploy.k8s.features.NetworkPolicyFeatureStep"}},
	{Name: "a feature step that isn't there", Conf: conf{"spark.kubernetes.driver.pod.featureSteps": "org.example.Step"}},
}

var executorCases = []Case{
	{Name: "settings of executors", Conf: conf{
		"spark.executor.instances": "7", "spark.executor.cores": "3", "spark.executor.memory": "4g",
		"spark.kubernetes.executor.request.cores": "2500m", "spark.kubernetes.executor.limit.cores": "4",
		"spark.kubernetes.executor.podNamePrefix": "my-executors", "spark.kubernetes.executor.deleteOnTermination": "false"}},
	{Name: "decommissioning", Conf: conf{"spark.decommission.enabled": "true", "spark.storage.decommission.enabled": "true"}},
	{Name: "where the driver finds the API server", Conf: conf{"spark.kubernetes.driver.master": "https://10.0.0.1:6443"}},
	{Name: "a history of events", Conf: conf{"spark.eventLog.enabled": "true", "spark.eventLog.dir": "s3a://logs/"}},
}
