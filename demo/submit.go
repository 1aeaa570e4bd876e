package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"syscall"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/utils/ptr"

	"muster.sh/muster/internal/sparkdist"
)

// Names in access.yaml.
const (
	namespace        = "spark"
	driverAccount    = "spark"
	submitterAccount = "submitter"
)

// eventsPath is where drivers write their event logs; behind it is a folder of
// this machine that all nodes share.
const eventsPath = "/var/spark-events"

// thrift is what short jobs on few cores ask of Java: no optimizing compiler and
// no threads for collecting garbage. It halves the CPU time of the demo.
const thrift = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"

// submitter runs spark-submit as a user without any special rights would.
type submitter struct {
	dist      sparkdist.Dist
	scheduler string
	api       string // URL of the API server
	dir       string // for credentials and the output of spark-submit
	events    string // the folder behind eventsPath
}

func (s *submitter) caFile() string            { return filepath.Join(s.dir, "ca.crt") }
func (s *submitter) tokenFile() string         { return filepath.Join(s.dir, "token") }
func (s *submitter) logFile(app string) string { return filepath.Join(s.dir, app+".submit.log") }

// login fetches a token of the submitter's account, for an hour.
func (s *submitter) login(ctx context.Context, client kubernetes.Interface, config *rest.Config) error {
	if err := rest.LoadTLSFiles(config); err != nil {
		return fmt.Errorf("read the cluster's certificate: %w", err)
	}
	request := &authenticationv1.TokenRequest{Spec: authenticationv1.TokenRequestSpec{ExpirationSeconds: ptr.To[int64](3600)}}
	token, err := client.CoreV1().ServiceAccounts(namespace).CreateToken(ctx, submitterAccount, request, metav1.CreateOptions{})
	if err != nil {
		return fmt.Errorf("get a token for the submitter: %w", err)
	}
	if err := os.WriteFile(s.caFile(), config.CAData, 0o644); err != nil {
		return err
	}
	return os.WriteFile(s.tokenFile(), []byte(token.Status.Token), 0o600)
}

// submit runs one spark-submit to its end, which is when the driver pod and what
// belongs to it have been created.
func (s *submitter) submit(ctx context.Context, app application) error {
	log, err := os.Create(s.logFile(app.name))
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := exec.CommandContext(ctx, filepath.Join(s.dist.Home, "bin", "spark-submit"), s.arguments(app)...)
	cmd.Stdout, cmd.Stderr, cmd.Dir = log, log, s.dir
	cmd.Env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + s.dir, "KUBECONFIG=" + os.DevNull,
		"SPARK_HOME=" + s.dist.Home, "JAVA_HOME=" + s.dist.JavaHome,
		// A machine whose own name doesn't resolve is no obstacle then.
		"SPARK_LOCAL_IP=127.0.0.1",
		"SPARK_LAUNCHER_OPTS=" + thrift, "SPARK_SUBMIT_OPTS=" + thrift,
	}
	// Scripts start Java in turn, so all of the group has to be ended.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }
	cmd.WaitDelay = 5 * time.Second
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("spark-submit of %s: %w (its output: %s)", app.name, err, log.Name())
	}
	return nil
}

// arguments are what any user of Spark on Kubernetes would write. All that has to
// do with Muster is the scheduler's name.
func (s *submitter) arguments(app application) []string {
	settings := [][2]string{
		{"spark.kubernetes.namespace", namespace},
		{"spark.kubernetes.authenticate.submission.caCertFile", s.caFile()},
		{"spark.kubernetes.authenticate.submission.oauthTokenFile", s.tokenFile()},
		{"spark.kubernetes.authenticate.driver.serviceAccountName", driverAccount},
		{"spark.kubernetes.container.image", s.dist.ImageName},
		{"spark.kubernetes.container.image.pullPolicy", "Never"},
		{"spark.kubernetes.submission.waitAppCompletion", "false"},
		// A busy machine may let a JVM wait longer than the usual 10 s.
		{"spark.kubernetes.submission.connectionTimeout", "60000"},
		{"spark.kubernetes.submission.requestTimeout", "60000"},
		{"spark.kubernetes.driver.connectionTimeout", "60000"},
		{"spark.kubernetes.driver.requestTimeout", "60000"},

		{"spark.executor.instances", fmt.Sprint(app.executors)},
		{"spark.driver.memory", app.heap},
		{"spark.executor.memory", app.heap},
		{"spark.executor.cores", "1"},
		{"spark.kubernetes.driver.request.cores", app.driverCPU.String()},
		{"spark.kubernetes.executor.request.cores", app.executorCPU.String()},
		{"spark.driver.extraJavaOptions", thrift},
		{"spark.executor.extraJavaOptions", thrift},
		// Nor must a job begin with fewer executors because they took more than
		// the usual 30 s to start.
		{"spark.scheduler.maxRegisteredResourcesWaitingTime", "180s"},

		{"spark.eventLog.enabled", "true"},
		{"spark.eventLog.dir", "file://" + eventsPath},
		{"spark.eventLog.rolling.enabled", "false"},
		{"spark.eventLog.compress", "false"},
		{"spark.kubernetes.driver.volumes.hostPath.events.mount.path", eventsPath},
		{"spark.kubernetes.driver.volumes.hostPath.events.options.path", s.events},
		{"spark.kubernetes.driver.volumes.hostPath.events.options.type", "Directory"},
	}
	if s.scheduler != defaultScheduler {
		settings = append(settings, [2]string{"spark.kubernetes.scheduler.name", s.scheduler})
	}
	args := []string{"--master", "k8s://" + s.api, "--deploy-mode", "cluster", "--name", app.name}
	for _, setting := range settings {
		args = append(args, "--conf", setting[0]+"="+setting[1])
	}
	return append(args, "local://"+path.Join(sparkdist.AppPath, "flights.py"),
		app.name, path.Join(sparkdist.DataPath, sparkdist.FlightsCSV))
}
