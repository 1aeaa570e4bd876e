package simnode

import (
	"fmt"

	nodefast "sigs.k8s.io/kwok/kustomize/stage/node/fast"
	podfast "sigs.k8s.io/kwok/kustomize/stage/pod/fast"
	"sigs.k8s.io/kwok/pkg/apis/internalversion"
	"sigs.k8s.io/kwok/pkg/apis/v1alpha1"
	"sigs.k8s.io/yaml"
)

// podComplete ends a pod that says for how long it runs. Pods without the
// annotation run until someone ends them.
const podComplete = `
apiVersion: kwok.x-k8s.io/v1alpha1
kind: Stage
metadata:
  name: pod-complete
spec:
  resourceRef:
    apiGroup: v1
    kind: Pod
  selector:
    matchExpressions:
    - key: '.metadata.deletionTimestamp'
      operator: DoesNotExist
    - key: '.status.phase'
      operator: In
      values: [Running]
    - key: '.metadata.annotations["muster.sh/simulated-duration"]'
      operator: Exists
  delay:
    durationFrom:
      expressionFrom: '.metadata.annotations["muster.sh/simulated-duration"]'
  next:
    statusTemplate: |
      {{ $now := Now }}
      {{ $start := .status.startTime }}
      conditions:
      - lastTransitionTime: {{ $now | Quote }}
        status: "False"
        reason: PodCompleted
        type: Ready
      - lastTransitionTime: {{ $now | Quote }}
        status: "False"
        reason: PodCompleted
        type: ContainersReady
      containerStatuses:
      {{ range .spec.containers }}
      - image: {{ .image | Quote }}
        name: {{ .name | Quote }}
        ready: false
        restartCount: 0
        started: false
        state:
          terminated:
            exitCode: 0
            finishedAt: {{ $now | Quote }}
            reason: Completed
            startedAt: {{ $start | Quote }}
      {{ end }}
      phase: Succeeded
`

// stages are KWOK's own for nodes and for pods that start and go, and ours for
// pods that end by themselves. KWOK's own pod-complete is left out: it ends
// every pod of a Job at once.
func stages() (map[internalversion.StageResourceRef][]*internalversion.Stage, error) {
	byResource := map[internalversion.StageResourceRef][]*internalversion.Stage{}
	for _, text := range []string{nodefast.DefaultNodeInit, podfast.DefaultPodReady, podfast.DefaultPodDelete, podComplete} {
		var external v1alpha1.Stage
		if err := yaml.Unmarshal([]byte(text), &external); err != nil {
			return nil, fmt.Errorf("read KWOK stage: %w", err)
		}
		stage, err := internalversion.ConvertToInternalStage(&external)
		if err != nil {
			return nil, fmt.Errorf("convert KWOK stage %s: %w", external.Name, err)
		}
		byResource[stage.Spec.ResourceRef] = append(byResource[stage.Spec.ResourceRef], stage)
	}
	return byResource, nil
}
