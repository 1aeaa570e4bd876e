package audit

import (
	"encoding/json"
	"fmt"

	schedulingv1beta1 "volcano.sh/apis/pkg/apis/scheduling/v1beta1"
)

// VolcanoPodGroups finds the gangs that Volcano's PodGroup objects declare: their
// members name the group in an annotation, the minimum is the group's first
// minMember. A pod whose group is not in the log makes an error, since what its
// minimum is nobody can tell.
func VolcanoPodGroups(tl *Timeline) ([]Gang, error) {
	type key struct{ namespace, name string }
	members := map[key][]*Pod{}
	for _, pod := range tl.Pods {
		if group := pod.Annotations[schedulingv1beta1.KubeGroupNameAnnotationKey]; group != "" {
			k := key{pod.Namespace, group}
			members[k] = append(members[k], pod)
		}
	}
	var gangs []Gang
	for _, object := range tl.Objects {
		if object.Group != schedulingv1beta1.GroupName || object.Resource != "podgroups" || len(object.States) == 0 {
			continue
		}
		var spec schedulingv1beta1.PodGroupSpec
		if err := json.Unmarshal(object.States[0].Spec, &spec); err != nil {
			return nil, fmt.Errorf("read the spec of PodGroup %s/%s: %w", object.Namespace, object.Name, err)
		}
		k := key{object.Namespace, object.Name}
		gangs = append(gangs, Gang{
			Namespace: k.namespace, Name: k.name, Min: int(spec.MinMember), Members: members[k],
			Objects: []ObjectName{{"podgroups." + object.Group, k.namespace, k.name}},
		})
		delete(members, k)
	}
	for k, pods := range members {
		return gangs, fmt.Errorf("PodGroup %s/%s of %d pods is not in the log", k.namespace, k.name, len(pods))
	}
	return gangs, nil
}
