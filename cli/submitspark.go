package cli

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"os"
	"path"
	"regexp"
	"strings"

	sparkv1beta2 "github.com/kubeflow/spark-operator/v2/api/v1beta2"
	"github.com/spf13/cobra"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/rand"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"muster.sh/muster/internal/sparkconf"
)

// sparkFlags are named as spark-submit names them.
type sparkFlags struct {
	name, class, image, version, queue, account, properties string
	conf                                                    []string
	jars, files, pyFiles, archives                          []string
	packages, repositories, excluded                        []string
	driverMemory, executorMemory                            string
	driverCores, executorCores, executors                   int32
}

func newSubmitSpark(c *caller) *cobra.Command {
	s, f := &submission{caller: c, kind: spark}, &sparkFlags{}
	cmd := &cobra.Command{
		Use:   "spark [flags] APPLICATION [ARGUMENT...] | -f FILE",
		Short: "Submit a Spark application",
		Long: `Submits a SparkApplication that is made of flags as spark-submit has them, or one in a file.
Nothing is read from this machine but the properties file: the application and what it
needs are in the image (local://), or have a URL.`,
		Example: `  muster submit spark --image docker.io/library/spark:4.0.4 --num-executors 4 \
    --class org.apache.spark.examples.SparkPi local:///opt/spark/examples/jars/spark-examples.jar 1000
  muster submit spark --wait -f pi.yaml`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if s.file != "" {
				if len(args) > 0 {
					return fmt.Errorf("give either -f or an application, not both: %s", args[0])
				}
				objects, err := s.read(cmd.InOrStdin())
				if err != nil {
					return err
				}
				return s.submit(cmd, objects)
			}
			app, err := f.application(args)
			if err != nil {
				return err
			}
			return s.submit(cmd, []client.Object{app})
		},
	}
	f.add(cmd)
	s.addFlags(cmd)
	cmd.Flags().SetInterspersed(false) // what follows the application is its own
	return cmd
}

func (f *sparkFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.name, "name", "", "name of the application (default: that of the file, with a random ending)")
	flags.StringVar(&f.class, "class", "", "main class, for JVM applications")
	flags.StringVar(&f.image, "image", "", "image of driver and executors (default: spark.kubernetes.container.image)")
	flags.StringVar(&f.version, "spark-version", "", "version of Spark in the image (default: that in its tag)")
	flags.StringVar(&f.queue, "queue", "", "queue that is charged")
	flags.StringVar(&f.account, "service-account", "", "service account of the driver")
	flags.StringVar(&f.properties, "properties-file", "", "a file with Spark's settings")
	flags.StringArrayVarP(&f.conf, "conf", "c", nil, "a setting of Spark, KEY=VALUE; repeat for more")
	flags.StringSliceVar(&f.jars, "jars", nil, "jars, separated by commas")
	flags.StringSliceVar(&f.files, "files", nil, "files, separated by commas")
	flags.StringSliceVar(&f.pyFiles, "py-files", nil, "Python files, separated by commas")
	flags.StringSliceVar(&f.archives, "archives", nil, "archives, separated by commas")
	flags.StringSliceVar(&f.packages, "packages", nil, "Maven coordinates, separated by commas")
	flags.StringSliceVar(&f.repositories, "repositories", nil, "repositories for packages, separated by commas")
	flags.StringSliceVar(&f.excluded, "exclude-packages", nil, "packages that are left out, separated by commas")
	flags.StringVar(&f.driverMemory, "driver-memory", "", "memory of the driver, such as 512m")
	flags.StringVar(&f.executorMemory, "executor-memory", "", "memory of each executor, such as 2g")
	flags.Int32Var(&f.driverCores, "driver-cores", 0, "cores of the driver")
	flags.Int32Var(&f.executorCores, "executor-cores", 0, "cores of each executor")
	flags.Int32Var(&f.executors, "num-executors", 0, "number of executors")
}

// application makes a SparkApplication of the flags, and what is left of the command line.
func (f *sparkFlags) application(args []string) (*sparkv1beta2.SparkApplication, error) {
	if len(args) == 0 {
		return nil, errors.New("name the application: a jar, or a Python or R file, in the image (local://) or by URL")
	}
	conf, err := f.settings()
	if err != nil {
		return nil, err
	}
	image := cmp.Or(f.image, conf["spark.kubernetes.container.image"])
	if image == "" {
		return nil, errors.New("name an image with --image")
	}
	version, err := f.sparkVersion(image)
	if err != nil {
		return nil, err
	}
	name, err := nameOf(cmp.Or(f.name, conf["spark.app.name"]), args[0])
	if err != nil {
		return nil, err
	}
	app := &sparkv1beta2.SparkApplication{
		TypeMeta:   metav1.TypeMeta{APIVersion: sparkv1beta2.SchemeGroupVersion.String(), Kind: spark.api},
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: sparkv1beta2.SparkApplicationSpec{
			Type: typeOf(args[0]), Mode: sparkv1beta2.DeployModeCluster, SparkVersion: version, Image: &image,
			MainClass: set(f.class), MainApplicationFile: &args[0], Arguments: args[1:], SparkConf: conf,
			Deps: sparkv1beta2.Dependencies{
				Jars: f.jars, Files: f.files, PyFiles: f.pyFiles, Archives: f.archives,
				Packages: f.packages, Repositories: f.repositories, ExcludePackages: f.excluded,
			},
			RestartPolicy: sparkv1beta2.RestartPolicy{Type: sparkv1beta2.RestartPolicyNever},
		},
	}
	app.Spec.Driver.Cores, app.Spec.Driver.Memory, app.Spec.Driver.ServiceAccount = set(f.driverCores), set(f.driverMemory), set(f.account)
	app.Spec.Executor.Cores, app.Spec.Executor.Memory, app.Spec.Executor.Instances = set(f.executorCores), set(f.executorMemory), f.instances(conf)
	if f.queue != "" {
		app.Spec.BatchSchedulerOptions = &sparkv1beta2.BatchSchedulerConfiguration{Queue: &f.queue}
	}
	return app, nil
}

// instances is the number of executors, if flags or Spark's own default give one. That of
// SparkApplications is another.
func (f *sparkFlags) instances(conf map[string]string) *int32 {
	_, given := conf["spark.executor.instances"]
	if f.executors != 0 || given || strings.EqualFold(conf["spark.dynamicAllocation.enabled"], "true") {
		return set(f.executors)
	}
	return ptr.To[int32](sparkconf.DefaultInstances)
}

// set points to a value that was given.
func set[T comparable](value T) *T {
	var none T
	if value == none {
		return nil
	}
	return ptr.To(value)
}

// settings are those of the properties file, and above them those of the command line.
func (f *sparkFlags) settings() (map[string]string, error) {
	conf := map[string]string{}
	if f.properties != "" {
		text, err := os.ReadFile(f.properties)
		if err != nil {
			return nil, err
		}
		props, err := sparkconf.ReadProperties(string(text))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f.properties, err)
		}
		maps.Copy(conf, props)
	}
	for _, setting := range f.conf {
		key, value, ok := strings.Cut(setting, "=")
		if !ok || key == "" {
			return nil, fmt.Errorf("--conf %q is no setting; write KEY=VALUE", setting)
		}
		conf[key] = value
	}
	return conf, nil
}

var versionInTag = regexp.MustCompile(`:v?(\d+\.\d+\.\d+)`)

func (f *sparkFlags) sparkVersion(image string) (string, error) {
	if f.version != "" {
		return f.version, nil
	}
	found := versionInTag.FindStringSubmatch(image)
	if found == nil {
		return "", fmt.Errorf("the tag of image %s does not tell the version of Spark in it; give --spark-version", image)
	}
	return found[1], nil
}

// typeOf tells an application's language as spark-submit does.
func typeOf(file string) sparkv1beta2.SparkApplicationType {
	switch strings.ToLower(path.Ext(file)) {
	case ".py":
		return sparkv1beta2.SparkApplicationTypePython
	case ".r":
		return sparkv1beta2.SparkApplicationTypeR
	default:
		return sparkv1beta2.SparkApplicationTypeJava
	}
}

var notInNames = regexp.MustCompile(`[^a-z0-9]+`)

// nameOf is the name of an application: the one that was given, if it may be one, or one
// that is made of its file's.
func nameOf(given, file string) (string, error) {
	if given != "" {
		if wrong := validation.IsDNS1035Label(given); wrong != nil {
			return "", fmt.Errorf("--name %q can't be the name of an object: %s", given, wrong[0])
		}
		return given, nil
	}
	const most = 50 // so that those of its pods may be longer
	base := strings.TrimSuffix(path.Base(file), path.Ext(file))
	name := strings.TrimLeft(notInNames.ReplaceAllString(strings.ToLower(base), "-"), "-0123456789")
	name = strings.TrimRight(name[:min(most, len(name))], "-")
	return cmp.Or(name, "spark") + "-" + rand.String(5), nil
}
