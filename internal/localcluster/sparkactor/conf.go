package sparkactor

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"muster.sh/muster/internal/sparkconf"
)

// Settings of the simulation, beside Spark's own.
const (
	// KeyDuration is how long the application works when all executors that it
	// starts with run; with fewer it takes longer.
	KeyDuration = "spark.muster.simulated.duration"
	// KeyBursts is how many times it does so; by default once. Between two
	// bursts nothing is done for the time of KeyPause, in which dynamic
	// allocation lets executors go.
	KeyBursts = "spark.muster.simulated.bursts"
	KeyPause  = "spark.muster.simulated.pause"
	// KeyTasks is how many executors the application has work for, the bound
	// of dynamic allocation; by default its maximum.
	KeyTasks = "spark.muster.simulated.tasks"
	// KeyStartDelay is the time between the driver's start and its first
	// executors. A real one takes about six seconds.
	KeyStartDelay = "spark.muster.simulated.startDelay"
)

// conf is what an application does, read from its properties.
type conf struct {
	appID   string
	appName string
	pod     corev1.PodSpec    // an executor's
	labels  map[string]string // that the settings give an executor

	initial, least, most int // executors at first, at least and at most
	dynamic              bool

	batchSize   int
	batchDelay  time.Duration
	startDelay  time.Duration
	minRatio    float64       // of initial, registered before work begins
	maxWait     time.Duration // after which it begins with fewer, but not with none
	backlog     time.Duration // dynamic: time between two requests for more
	idleTimeout time.Duration // dynamic: time after which an idle one goes

	duration time.Duration
	bursts   int
	pause    time.Duration
}

// readConf reads an application's settings, and the text of its executor pod template if
// there is one, as its driver would.
func readConf(driver *corev1.Pod, text, template string) (conf, error) {
	properties, err := sparkconf.ReadProperties(text)
	if err != nil {
		return conf{}, err
	}
	// What Muster is told on the driver pod does not concern Spark.
	driver = driver.DeepCopy()
	delete(driver.Annotations, sparkconf.AnnotationMinExecutors)
	inputs := sparkconf.Inputs{Driver: driver}
	if template != "" {
		if inputs.Template, err = sparkconf.ReadTemplate(template); err != nil {
			return conf{}, err
		}
	}
	app, err := sparkconf.Parse(properties, inputs)
	if err != nil {
		return conf{}, err
	}
	r := reader{properties: properties}
	c := conf{
		appID:       app.AppID,
		appName:     properties["spark.app.name"],
		pod:         app.ExecutorPod,
		labels:      executorLabels(properties),
		initial:     app.Executors.Min,
		least:       app.Executors.MinAfterStart,
		most:        app.Executors.Max,
		dynamic:     app.Executors.Dynamic,
		batchSize:   r.integer("spark.kubernetes.allocation.batch.size", 10),
		batchDelay:  r.duration("spark.kubernetes.allocation.batch.delay", time.Second),
		startDelay:  r.duration(KeyStartDelay, time.Second),
		minRatio:    r.ratio("spark.scheduler.minRegisteredResourcesRatio", 0.8),
		maxWait:     r.duration("spark.scheduler.maxRegisteredResourcesWaitingTime", 30*time.Second),
		backlog:     r.duration("spark.dynamicAllocation.schedulerBacklogTimeout", time.Second),
		idleTimeout: r.duration("spark.dynamicAllocation.executorIdleTimeout", time.Minute),
		duration:    r.duration(KeyDuration, 10*time.Second),
		bursts:      r.integer(KeyBursts, 1),
		pause:       r.duration(KeyPause, 0),
	}
	if c.most == sparkconf.Unlimited {
		c.most = c.initial
	}
	if tasks := r.integer(KeyTasks, 0); c.dynamic && tasks > 0 {
		c.most = max(tasks, c.initial)
	}
	return c, r.err
}

func executorLabels(properties sparkconf.Properties) map[string]string {
	labels := map[string]string{}
	for key, value := range properties {
		if name, found := strings.CutPrefix(key, "spark.kubernetes.executor.label."); found {
			labels[name] = value
		}
	}
	return labels
}

// reader reads settings that sparkconf has no need of; it keeps the first error.
type reader struct {
	properties sparkconf.Properties
	err        error
}

func (r *reader) text(key string) (string, bool) {
	text, set := r.properties[key]
	return strings.TrimSpace(text), set && r.err == nil
}

func (r *reader) integer(key string, unset int) int {
	text, set := r.text(key)
	if !set {
		return unset
	}
	number, err := strconv.Atoi(text)
	if err != nil || number < 1 {
		r.err = fmt.Errorf("%s=%s: must be a whole number above 0", key, text)
	}
	return number
}

func (r *reader) ratio(key string, unset float64) float64 {
	text, set := r.text(key)
	if !set {
		return unset
	}
	number, err := strconv.ParseFloat(text, 64)
	if err != nil || !(number >= 0 && number <= 1) {
		r.err = fmt.Errorf("%s=%s: must be a number from 0 to 1", key, text)
	}
	return number
}

// duration reads a time as Spark writes it: 10s, 500ms, 5m, 1h, 2min or plain
// seconds.
func (r *reader) duration(key string, unset time.Duration) time.Duration {
	text, set := r.text(key)
	if !set {
		return unset
	}
	if seconds, err := strconv.Atoi(text); err == nil && seconds >= 0 {
		return time.Duration(seconds) * time.Second
	}
	duration, err := time.ParseDuration(strings.Replace(text, "min", "m", 1))
	if err != nil || duration < 0 {
		r.err = fmt.Errorf("%s=%s: must be a time such as 10s or 500ms", key, text)
	}
	return duration
}
