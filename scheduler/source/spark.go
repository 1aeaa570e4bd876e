package source

import (
	"fmt"
	"time"

	v1 "k8s.io/api/core/v1"
	nodev1 "k8s.io/api/node/v1"
	"k8s.io/apimachinery/pkg/types"

	"muster.sh/muster/internal/sparkconf"
	"muster.sh/muster/scheduler/core"
	"muster.sh/muster/scheduler/gang"
)

// app is a Spark application in cluster mode, as long as its driver has not
// ended.
type app struct {
	id      gang.ID
	name    string // the value of spark-app-selector
	driver  gang.Object
	created time.Time
}

// readConf asks for the settings of an application: the ConfigMaps that the
// driver's volumes name, read once they exist. The answer comes by confRead,
// and by confMissing if it takes too long.
type readConf struct {
	driver     *v1.Pod
	properties sparkconf.Source
	// template is nil where the application has no executor pod template.
	template *sparkconf.Source
	// patience is how long ConfigMaps may be absent before confMissing.
	patience time.Duration
}

// stopReading takes a readConf back.
type stopReading struct{ driver types.UID }

func (readConf) isErrand()    {}
func (stopReading) isErrand() {}

// joinDriver makes a driver the head of its gang. An application has one
// driver: a second pod that bears its label has a gang of its own, which is
// refused, so that nobody can speak for an application by copying a label.
func (c *collector) joinDriver(p *pod, claim claim) {
	a := &app{
		id:     gang.NewID(KindSpark, p.obj.Namespace, claim.name),
		name:   claim.name,
		driver: owner(p.obj), created: p.obj.CreationTimestamp.Time,
	}
	if first := c.apps[a.id]; first != nil {
		a.id = gang.NewID(KindSpark, p.obj.Namespace, claim.name+"/"+p.obj.Name)
		c.refuse(a, fmt.Sprintf("the label %s=%s is the application of driver pod %s already; submit the application anew",
			sparkconf.LabelAppID, claim.name, first.driver.Name))
		p.gang, p.role, c.apps[a.id] = a.id, RoleDriver, a
		return
	}
	p.gang, p.role, c.apps[a.id] = a.id, RoleDriver, a
	properties, ok := sparkconf.PropertiesSource(p.obj)
	if !ok {
		c.refuse(a, "the driver pod has no volume spark-conf-volume-driver that shows a ConfigMap's spark.properties, which tell the "+
			"number and the size of its executors; submit it by spark-submit in cluster mode, with all of Spark's own feature steps")
		return
	}
	errand := readConf{driver: p.obj, properties: properties, patience: c.configMapTimeout}
	if template, ok := sparkconf.TemplateSource(p.obj); ok {
		errand.template = &template
	}
	if p.obj.Spec.NodeName != "" {
		// It was started once its settings had been read, so they were there.
		errand.patience = 0
		if !c.synced {
			c.awaited[p.obj.UID] = true
		}
	}
	c.ask(errand)
}

// conf is what was read for a readConf.
type conf struct {
	properties string
	// template is the text of the executor pod template, if there is one.
	template string
	// limits are the LimitRanges of the namespace.
	limits []*v1.LimitRange
	// runtimeClass finds a RuntimeClass by its name, or nil.
	runtimeClass func(name string) *nodev1.RuntimeClass
}

// confRead takes the answer to a readConf in and declares the gang. What was
// read is kept: a later change of the ConfigMap changes nothing.
func (c *collector) confRead(driver types.UID, in conf) {
	p := c.pods[driver]
	if p == nil {
		return // it has ended meanwhile
	}
	defer c.awaitedDone(driver)
	a := c.apps[p.gang]
	roles, err := c.roles(p.obj, in)
	if err != nil {
		c.refuse(a, err.Error())
		return
	}
	g := gang.Gang{ID: a.id, Owner: a.driver, Queue: queueNamed(p.obj), Created: a.created, Roles: roles}
	if err := readWishes(p.obj.Annotations, &g); err != nil {
		c.refuse(a, err.Error())
		return
	}
	readPod(p.obj, &g)
	c.emit(core.GangSet{Gang: g})
}

// roles works out who belongs to an application: its driver, and the executors
// that it will make, unless they are another scheduler's.
func (c *collector) roles(driver *v1.Pod, in conf) ([]gang.Role, error) {
	props, err := sparkconf.ReadProperties(in.properties)
	if err != nil {
		return nil, err
	}
	inputs := sparkconf.Inputs{
		Driver: driver, RuntimeClass: in.runtimeClass, LimitRanges: in.limits, MinExecutorsFloor: c.minExecutorsFloor,
	}
	if in.template != "" {
		if inputs.Template, err = sparkconf.ReadTemplate(in.template); err != nil {
			return nil, err
		}
	}
	app, err := sparkconf.Parse(props, inputs)
	if err != nil {
		return nil, err
	}
	roles := []gang.Role{{Name: RoleDriver, Min: 1, Max: 1}}
	if app.SchedulerName == c.schedulerName {
		roles = append(roles, gang.Role{
			Name: RoleExecutor, Min: app.Executors.Min, Max: app.Executors.Max, Expected: true,
			Shape: ShapeOf(&v1.Pod{Spec: app.ExecutorPod}), Shrinks: app.Executors.Dynamic,
		})
	}
	return roles, nil
}

// confMissing takes in that a readConf is not answered yet, though its
// patience is over. It may still be answered.
func (c *collector) confMissing(driver types.UID, why error) {
	p := c.pods[driver]
	if p == nil {
		return
	}
	defer c.awaitedDone(driver)
	c.refuse(c.apps[p.gang], fmt.Sprintf("the settings of the application, which the driver pod's volume names, can't be read: %v; "+
		"if spark-submit was stopped before it had made them, delete this pod and submit again", why))
}

func (c *collector) awaitedDone(driver types.UID) {
	delete(c.awaited, driver)
	c.syncIfReady()
}

func (c *collector) refuse(a *app, detail string) {
	c.emit(core.GangRefused{
		ID: a.id, Owner: a.driver, Created: a.created,
		Verdict: gang.Verdict{Code: gang.Refused, Detail: detail},
	})
}

// endApp takes in that the driver has ended: nothing is expected any more.
func (c *collector) endApp(a *app) {
	delete(c.apps, a.id)
	c.ask(stopReading{types.UID(a.driver.UID)})
	c.emit(core.GangGone{ID: a.id})
}
