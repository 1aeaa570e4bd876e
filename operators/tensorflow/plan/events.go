package plan

import (
	"cmp"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
)

// tellAbnormal tells of pods that can't start their containers.
func (p *planner) tellAbnormal() {
	for _, r := range p.roles {
		for _, pod := range r.pods {
			if s := stateOf(pod); s != waiting && s != running {
				continue
			}
			for _, c := range slices.Concat(pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses) {
				if w := c.State.Waiting; w != nil && w.Message != "" {
					p.tellOf(pod, corev1.EventTypeWarning, cmp.Or(w.Reason, "Waiting"),
						fmt.Sprintf("Error pod %s container %s waiting message: %s", pod.Name, c.Name, w.Message))
				}
			}
		}
	}
}

// tellExits tells with which codes pods have ended.
func (p *planner) tellExits() {
	for _, r := range p.roles {
		for _, pod := range r.pods {
			if s := stateOf(pod); s != succeeded && s != failed {
				continue
			}
			if code := exitCode(pod); code != noExitCode {
				p.tellOf(pod, corev1.EventTypeNormal, "ExitedWithCode",
					fmt.Sprintf("Pod: %s.%s exited with code %d", pod.Namespace, pod.Name, code))
			}
		}
	}
}
