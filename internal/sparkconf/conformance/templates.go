package conformance

const richTemplate = `
apiVersion: v1
kind: Pod
metadata:
  labels: {team: a}
spec:
  priorityClassName: batch
  schedulerName: from-template
  nodeSelector: {disk: hdd, arch: amd64}
  tolerations:
  - {key: dedicated, operator: Equal, value: spark, effect: NoSchedule}
  - {operator: Exists, effect: NoExecute, tolerationSeconds: 60}
  affinity:
    nodeAffinity:
      requiredDuringSchedulingIgnoredDuringExecution:
        nodeSelectorTerms:
        - matchExpressions:
          - {key: topology.kubernetes.io/zone, operator: In, values: [a, b]}
    podAntiAffinity:
      preferredDuringSchedulingIgnoredDuringExecution:
      - weight: 10
        podAffinityTerm:
          topologyKey: kubernetes.io/hostname
          labelSelector: {matchLabels: {spark-role: executor}}
  topologySpreadConstraints:
  - {maxSkew: 1, topologyKey: topology.kubernetes.io/zone, whenUnsatisfiable: ScheduleAnyway}
  initContainers:
  - name: fetch
    image: fetch
    resources: {requests: {cpu: 3, memory: 100Mi}}
  - name: proxy
    image: proxy
    restartPolicy: Always
    resources: {requests: {cpu: 100m, memory: 64Mi}, limits: {memory: 128Mi}}
  containers:
  - name: logger
    image: logger
    resources: {requests: {cpu: 50m}, limits: {cpu: 100m, memory: 32Mi}}
  - name: worker
    image: ignored
    ports: [{name: metrics, containerPort: 8090}]
    resources:
      requests: {cpu: 7, memory: 9Gi, ephemeral-storage: 20Gi}
      limits: {cpu: 8, memory: 9Gi, nvidia.com/gpu: 1}
`

const twoContainers = `
apiVersion: v1
kind: Pod
spec:
  containers:
  - {name: first, resources: {requests: {ephemeral-storage: 1Gi}}}
  - {name: second, resources: {requests: {ephemeral-storage: 2Gi}}}
`

const sameNames = `
apiVersion: v1
kind: Pod
spec:
  containers:
  - {name: first, resources: {requests: {ephemeral-storage: 1Gi}}}
  - {name: twin, resources: {requests: {ephemeral-storage: 2Gi}}}
  - {name: twin, resources: {requests: {ephemeral-storage: 3Gi}}}
`

const containerKey = "spark.kubernetes.executor.podTemplateContainerName"

var templateCases = []Case{
	{Name: "a rich template whose first container has too low a limit", Template: richTemplate, KubernetesRefuses: true},
	{Name: "a rich template with few cores", Template: richTemplate, Conf: conf{"spark.kubernetes.executor.request.cores": "70m"}},
	{Name: "a rich template whose second container is Spark's", Template: richTemplate, Conf: conf{containerKey: "worker"}},
	{Name: "a rich template with settings that win", Template: richTemplate, Conf: conf{
		containerKey: "worker", "spark.kubernetes.scheduler.name": "muster", "spark.kubernetes.node.selector.disk": "ssd",
		"spark.executor.resource.gpu.amount": "4", "spark.executor.resource.gpu.vendor": "nvidia.com",
		"spark.kubernetes.executor.limit.cores": "2"}},
	{Name: "a template whose limit is below the cores", Template: richTemplate, Conf: conf{containerKey: "worker", "spark.executor.cores": "9"}, KubernetesRefuses: true},
	{Name: "the first container of a template is Spark's", Template: twoContainers},
	{Name: "the named container of a template is Spark's", Template: twoContainers, Conf: conf{containerKey: "second"}},
	{Name: "an unknown container name gives the first", Template: twoContainers, Conf: conf{containerKey: "third"}},
	{Name: "an ambiguous container name gives the first", Template: sameNames, Conf: conf{containerKey: "twin"}},
	{Name: "a template without containers", Template: "apiVersion: v1\nkind: Pod\nspec:\n  containers: []\n  tolerations: [{operator: Exists}]\n"},
	{Name: "a template with a nameless container", Template: "apiVersion: v1\nkind: Pod\nspec:\n  containers: [{resources: {limits: {hugepages-2Mi: 64Mi}}}]\n"},
	{Name: "a template on the machine's network", Template: "apiVersion: v1\nkind: Pod\nspec:\n  hostNetwork: true\n  containers: [{name: a, ports: [{containerPort: 9000}]}]\n"},
	{Name: "a template with resources of the pod", Template: "apiVersion: v1\nkind: Pod\nspec:\n  resources: {requests: {cpu: 4}, limits: {cpu: 6, memory: 8Gi}}\n  containers: [{name: a}]\n"},
	{Name: "a template with fields of the future", Template: "apiVersion: v1\nkind: Pod\nspec:\n  fromTheFuture: {a: b}\n  containers: [{name: a, alsoNew: 1}]\n"},
}
