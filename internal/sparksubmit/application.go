package sparksubmit

import (
	"fmt"
	"slices"

	"muster.sh/muster/internal/sparkdist"
)

// Setting is one property of Spark's configuration.
type Setting struct{ Key, Value string }

// Application is what is submitted.
type Application struct {
	// Name is given to spark-submit; Spark labels the application's pods with it.
	Name string
	// Settings are added to those of Client, and win over them.
	Settings []Setting
	// File is the program, as a URL that the driver can read, and Args its
	// arguments.
	File string
	Args []string
}

// thrift is what short jobs on few cores ask of Java: no optimizing compiler and
// no threads for collecting garbage. It halves the CPU time of such a job.
const thrift = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"

// Arguments are the arguments of spark-submit, as any user of Spark on Kubernetes
// would write them.
func (c *Client) Arguments(app Application) []string {
	args := []string{"--master", "k8s://" + c.API, "--deploy-mode", "cluster", "--name", app.Name}
	for _, setting := range slices.Concat(c.access(), Frugal(c.Dist.ImageName), app.Settings) {
		args = append(args, "--conf", setting.Key+"="+setting.Value)
	}
	return slices.Concat(args, []string{app.File}, app.Args)
}

// access says who submits, and as whom the driver runs.
func (c *Client) access() []Setting {
	return []Setting{
		{"spark.kubernetes.namespace", Namespace},
		{"spark.kubernetes.authenticate.submission.caCertFile", c.CAFile()},
		{"spark.kubernetes.authenticate.submission.oauthTokenFile", c.tokenFile()},
		{"spark.kubernetes.authenticate.driver.serviceAccountName", DriverAccount},
		{"spark.kubernetes.submission.waitAppCompletion", "false"},
		// A busy machine may let a JVM wait longer than the usual 10 s.
		{"spark.kubernetes.submission.connectionTimeout", "60000"},
		{"spark.kubernetes.submission.requestTimeout", "60000"},
	}
}

// archived lets Java take its classes from an archive, which does no harm where it
// isn't there. To map it at another address each time would touch all of its pages.
func archived(archive string) string {
	return " -XX:+UnlockDiagnosticVMOptions -XX:ArchiveRelocationMode=0 -XX:SharedArchiveFile=" + archive
}

// Frugal are the settings by which pods of an image use little CPU, and may take
// their time on a busy machine. They suit every deploy mode.
func Frugal(image string) []Setting {
	inPods := thrift + archived(sparkdist.ClassArchive)
	return []Setting{
		{"spark.kubernetes.container.image", image},
		{"spark.kubernetes.container.image.pullPolicy", "Never"},
		{"spark.kubernetes.driver.connectionTimeout", "60000"},
		{"spark.kubernetes.driver.requestTimeout", "60000"},
		{"spark.executor.cores", "1"},
		{"spark.driver.extraClassPath", sparkdist.ClasspathJar},
		{"spark.driver.extraJavaOptions", inPods},
		{"spark.executor.extraJavaOptions", inPods},
		{"spark.ui.enabled", "false"}, // nobody would look at it in so short a time
		// Nor must a job begin with fewer executors because they took more than
		// the usual 30 s to start.
		{"spark.scheduler.maxRegisteredResourcesWaitingTime", "180s"},
	}
}

// Folder mounts a folder of the node into the pods of a role, driver or executor,
// at the given path.
func Folder(role, name, folder, path string) []Setting {
	prefix := fmt.Sprintf("spark.kubernetes.%s.volumes.hostPath.%s.", role, name)
	return []Setting{
		{prefix + "mount.path", path},
		{prefix + "options.path", folder},
		{prefix + "options.type", "Directory"},
	}
}
