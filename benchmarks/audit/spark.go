package audit

import (
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Labels that Spark sets on the pods of an application.
const (
	sparkSelectorLabel = "spark-app-selector"
	sparkRoleLabel     = "spark-role"
)

// SparkApp is what the log shows of a Spark application.
type SparkApp struct {
	Namespace, ID string // ID is the value of the label spark-app-selector
	Driver        *Pod   // nil in client mode, where no pod is the driver's
	Executors     []*Pod
}

// SparkApplications finds the Spark applications by Spark's own labels, each a
// gang of its driver and executors. minExecutors gives how many executors an
// application cannot do without, as its submitted configuration says; the driver
// is counted on top of them. An application for which it returns less than 0 is
// left out.
//
// The names of executors have nothing in common with the driver's, so only the
// label tells who belongs together.
func SparkApplications(tl *Timeline, minExecutors func(SparkApp) int) []Gang {
	type key struct{ namespace, id string }
	apps := map[key]*SparkApp{}
	members := map[key][]*Pod{}
	var order []key
	for _, pod := range tl.Pods {
		k := key{pod.Namespace, pod.Labels[sparkSelectorLabel]}
		if k.id == "" {
			continue
		}
		app := apps[k]
		if app == nil {
			app = &SparkApp{Namespace: k.namespace, ID: k.id}
			apps[k] = app
			order = append(order, k)
		}
		switch pod.Labels[sparkRoleLabel] {
		case "driver":
			app.Driver = pod
		case "executor":
			app.Executors = append(app.Executors, pod)
		default:
			continue
		}
		members[k] = append(members[k], pod)
	}
	var gangs []Gang
	for _, k := range order {
		least := minExecutors(*apps[k])
		if least < 0 {
			continue
		}
		gang := Gang{Namespace: k.namespace, Name: k.id, Min: least, Expects: true, Members: members[k]}
		if driver := apps[k].Driver; driver != nil {
			gang.Min++
			gang.Objects = tl.reservationsOf(driver)
		}
		gangs = append(gangs, gang)
	}
	return gangs
}

// reservationsOf names the reservations that are owned by a pod.
func (tl *Timeline) reservationsOf(owner *Pod) []ObjectName {
	var names []ObjectName
	for _, object := range tl.Objects {
		owned := func(state ObjectState) bool {
			return slices.ContainsFunc(state.Owners, func(o metav1.OwnerReference) bool { return o.UID == owner.UID })
		}
		if object.Resource == "reservations" && slices.ContainsFunc(object.States, owned) {
			names = append(names, ObjectName{object.Resource + "." + object.Group, object.Namespace, object.Name})
		}
	}
	return names
}
