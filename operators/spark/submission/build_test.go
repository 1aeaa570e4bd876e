package submission

import (
	"errors"
	"maps"
	"slices"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"pgregory.net/rapid"

	"muster.sh/muster/internal/sparkconf"
	"muster.sh/muster/operators/spark/submission/conformance"
)

var identity = Identity{AppID: conformance.AppID, UniqueID: conformance.UniqueID, SubmitTime: time.UnixMilli(1700000000000)}

func javaApplication(settings sparkconf.Properties) Application {
	props := sparkconf.Properties{keyImage: "spark"}
	maps.Copy(props, settings)
	return Application{SparkVersion: "4.3.0", Properties: props, MainClass: "App", Resource: "local:///app.jar"}
}

func TestARefusalNamesItsKey(t *testing.T) {
	java := javaApplication
	with := func(change func(*Application)) Application {
		app := java(nil)
		change(&app)
		return app
	}
	for name, test := range map[string]struct {
		app Application
		key string
	}{
		"an unknown line":              {with(func(a *Application) { a.SparkVersion = "3.4.1" }), fieldVersion},
		"a line of the future":         {with(func(a *Application) { a.SparkVersion = "5.0.0" }), fieldVersion},
		"a version that isn't one":     {with(func(a *Application) { a.SparkVersion = "latest" }), fieldVersion},
		"no class":                     {with(func(a *Application) { a.MainClass = "" }), fieldMainClass},
		"a program elsewhere":          {with(func(a *Application) { a.Resource = "app.jar" }), fieldResource},
		"a file of the machine":        {java(sparkconf.Properties{keyFiles: "local:///a,file:///b"}), keyFiles},
		"an archive without a scheme":  {java(sparkconf.Properties{keyArchives: "/a:b"}), keyArchives},
		"no image":                     {java(sparkconf.Properties{keyImage: "", keyDriverImage: "${missing}"}), keyDriverImage},
		"a pull policy":                {java(sparkconf.Properties{keyPullPolicy: "never"}), keyPullPolicy},
		"code of the user's":           {java(sparkconf.Properties{keyFeatureSteps: "a.Step"}), keyFeatureSteps},
		"a label of Spark's":           {java(sparkconf.Properties{prefixLabel + "spark-version": "1"}), prefixLabel + "spark-version"},
		"a port beyond the last":       {java(sparkconf.Properties{keyUIPort: "70000"}), keyUIPort},
		"a port of none":               {java(sparkconf.Properties{keyUIPort: "0"}), keyUIPort},
		"a port twice":                 {java(sparkconf.Properties{keyUIPort: "7079"}), keyUIPort},
		"a secret without a key":       {java(sparkconf.Properties{prefixSecretRef + "A": "b"}), prefixSecretRef + "A"},
		"a certificate of the machine": {java(sparkconf.Properties{prefixCredentials + "caCertFile": "/a"}), prefixCredentials + "caCertFile"},
		"a keytab of the machine":      {java(sparkconf.Properties{keyPrincipal: "a", keyKeytab: "/a"}), keyKeytab},
		"Kerberos' file":               {java(sparkconf.Properties{keyKrb5File: "/a"}), keyKrb5File},
		"a driver template's file":     {java(sparkconf.Properties{keyDriverTemplate: "/a"}), keyDriverTemplate},
		"an executor template's file":  {java(sparkconf.Properties{keyExecutorTemplate: "/a"}), keyExecutorTemplate},
		"executors with no memory":     {java(sparkconf.Properties{"spark.executor.memory": "0"}), "spark.executor.memory"},
		"a volume without a path":      {java(sparkconf.Properties{prefixVolume + "emptyDir.a.options.medium": "Memory"}), prefixVolume + "emptyDir.a.mount.path"},
		"an executor's volume":         {java(sparkconf.Properties{prefixExecutorVolume + "nfs.a.mount.path": "/a"}), prefixExecutorVolume + "nfs.a.options.path"},
		"a size that isn't one":        {java(sparkconf.Properties{prefixVolume + "emptyDir.a.mount.path": "/a", prefixVolume + "emptyDir.a.options.sizeLimit": "big"}), prefixVolume + "emptyDir.a.options.sizeLimit"},
		"more text than a map holds":   {with(func(a *Application) { a.ExecutorTemplate = string(make([]byte, sparkconf.MaxTextBytes+1)) }), keyExecutorTemplate},
		"a principal for a proxy user": {with(func(a *Application) {
			a.ProxyUser, a.Properties[keyPrincipal], a.Properties[keyKeytab] = "alice", "bob", "local:///b"
		}), keyPrincipal},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Build(test.app, identity)
			var refusal *sparkconf.KeyError
			if !errors.As(err, &refusal) || refusal.Key != test.key {
				t.Fatalf("the error is %v, but should name %s", err, test.key)
			}
			if refusal.Why == "" || refusal.Cure == "" {
				t.Errorf("%v says not what is wrong or what to do", err)
			}
		})
	}
}

func TestOldNamesOfSettingsCount(t *testing.T) {
	objects, err := Build(javaApplication(sparkconf.Properties{
		"spark.yarn.principal": "alice", "spark.yarn.keytab": "local:///a.keytab"}), identity)
	if err != nil {
		t.Fatal(err)
	}
	props := storedProperties(t, objects)
	if props[keyPrincipal] != "alice" || props[keyKeytab] != "local:///a.keytab" {
		t.Errorf("the driver is told %q and %q", props[keyPrincipal], props[keyKeytab])
	}
}

func storedProperties(t *testing.T, objects Objects) sparkconf.Properties {
	t.Helper()
	config, ok := objects.Owned[len(objects.Owned)-1].(*corev1.ConfigMap)
	if !ok {
		t.Fatal("the last object is not the ConfigMap with the properties")
	}
	props, err := sparkconf.ReadProperties(config.Data[propertiesFile])
	if err != nil {
		t.Fatal(err)
	}
	return props
}

// What the operators make and what the scheduler reads of it have to agree.
func TestTheSchedulerReadsWhatIsSubmitted(t *testing.T) {
	app := javaApplication(sparkconf.Properties{"spark.executor.instances": "3", "spark.executor.memory": "2g"})
	app.ExecutorTemplate = "apiVersion: v1\nkind: Pod\nspec: {containers: [{name: a}], priorityClassName: batch}\n"
	objects, err := Build(app, identity)
	if err != nil {
		t.Fatal(err)
	}
	source, ok := sparkconf.PropertiesSource(objects.Driver)
	if last := objects.Owned[len(objects.Owned)-1]; !ok || source.ConfigMap != last.GetName() {
		t.Fatalf("the properties are sought in %+v, not in %s", source, last.GetName())
	}
	if _, ok := sparkconf.TemplateSource(objects.Driver); !ok {
		t.Error("the executors' template is not found")
	}
	template, err := sparkconf.ReadTemplate(app.ExecutorTemplate)
	if err != nil {
		t.Fatal(err)
	}
	read, err := sparkconf.Parse(storedProperties(t, objects), sparkconf.Inputs{Driver: objects.Driver, Template: template})
	if err != nil {
		t.Fatal(err)
	}
	if read.AppID != identity.AppID || read.Executors.Min != 3 || read.ExecutorPod.PriorityClassName != "batch" {
		t.Errorf("the scheduler reads %+v", read)
	}
}

// Invariants of every submission, whatever users write: it is refused with a key, or
// makes objects; the same input makes the same; all objects are in the namespace of
// the driver and belong to it; the input is left as it was.
func TestSubmissionsHoldTheirPromises(t *testing.T) {
	var keys []string
	for _, c := range conformance.All() {
		keys = slices.AppendSeq(keys, maps.Keys(c.Conf))
	}
	slices.Sort(keys)
	keys = slices.Compact(keys)
	values := rapid.OneOf(
		rapid.SampledFrom([]string{"", "1", "512m", "2g", "0.5", "true", "a", "/a", "local:///a.jar", "a:b", "IPv4", "OnDemand", "Always", "5Gi"}),
		rapid.String(),
	)
	rapid.Check(t, func(t *rapid.T) {
		app := javaApplication(rapid.MapOfN(rapid.SampledFrom(keys), values, 0, 8).Draw(t, "settings"))
		app.Resource = rapid.SampledFrom([]string{"local:///a.jar", "local:///a.py", "local:///a.R", ""}).Draw(t, "resource")
		app.SparkVersion = rapid.SampledFrom([]string{"3.5.9", "4.0.1", "4.1.3", "4.2.0", "4.3.0"}).Draw(t, "version")
		app.ProxyUser = rapid.SampledFrom([]string{"", "alice"}).Draw(t, "proxy user")
		before := maps.Clone(app.Properties)
		objects, err := Build(app, identity)
		if !maps.Equal(before, app.Properties) {
			t.Fatalf("the settings were changed to %q", app.Properties)
		}
		var refusal *sparkconf.KeyError
		if err != nil && !errors.As(err, &refusal) {
			t.Fatalf("refused without a key: %v", err)
		}
		again, secondErr := Build(app, identity)
		if (err == nil) != (secondErr == nil) || !equality.Semantic.DeepEqual(objects, again) {
			t.Fatalf("made %v and %v of the same settings", objects, again)
		}
		if err == nil {
			checkOwned(t, objects)
		}
	})
}

func checkOwned(t *rapid.T, objects Objects) {
	objects.Driver.UID = driverUID
	for _, object := range objects.Owned {
		Own(object, objects.Driver)
		owners := object.GetOwnerReferences()
		if object.GetNamespace() != objects.Driver.Namespace || len(owners) != 1 || owners[0].UID != driverUID {
			t.Fatalf("%s in %s belongs to %v", object.GetName(), object.GetNamespace(), owners)
		}
	}
}
