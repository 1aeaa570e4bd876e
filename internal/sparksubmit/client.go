package sparksubmit

import (
	"context"
	"fmt"
	"os"
	"os/exec"
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

// Client submits applications to one cluster.
type Client struct {
	// Dist is the Spark that submits and runs.
	Dist sparkdist.Dist
	// API is the URL of the API server.
	API string
	// Dir is for credentials and the output of spark-submit.
	Dir string
}

// tokenLife is how long a login is good for, in seconds.
const tokenLife = 3600

// Login makes a client that submits by an account which may do just that; the
// objects of [Access] must be in the cluster. Its login is good for an hour, and
// is kept in dir, which must exist.
func Login(ctx context.Context, dist sparkdist.Dist, admin kubernetes.Interface, config *rest.Config, dir string) (*Client, error) {
	config = rest.CopyConfig(config)
	if err := rest.LoadTLSFiles(config); err != nil {
		return nil, fmt.Errorf("read the cluster's certificate: %w", err)
	}
	request := &authenticationv1.TokenRequest{Spec: authenticationv1.TokenRequestSpec{ExpirationSeconds: ptr.To[int64](tokenLife)}}
	token, err := admin.CoreV1().ServiceAccounts(Namespace).CreateToken(ctx, submitterAccount, request, metav1.CreateOptions{})
	if err != nil {
		return nil, fmt.Errorf("get a token for the submitter: %w", err)
	}
	c := &Client{Dist: dist, API: config.Host, Dir: dir}
	if err := os.WriteFile(c.CAFile(), config.CAData, 0o644); err != nil {
		return nil, fmt.Errorf("keep the cluster's certificate: %w", err)
	}
	if err := os.WriteFile(c.tokenFile(), []byte(token.Status.Token), 0o600); err != nil {
		return nil, fmt.Errorf("keep the submitter's token: %w", err)
	}
	return c, nil
}

// CAFile has the certificate of the cluster.
func (c *Client) CAFile() string    { return filepath.Join(c.Dir, "ca.crt") }
func (c *Client) tokenFile() string { return filepath.Join(c.Dir, "token") }

// Submit runs one spark-submit to its end, which is when the driver pod and what
// belongs to it have been created.
func (c *Client) Submit(ctx context.Context, app Application) error {
	log, err := os.Create(filepath.Join(c.Dir, app.Name+".submit.log"))
	if err != nil {
		return fmt.Errorf("keep the output of spark-submit: %w", err)
	}
	defer log.Close()
	cmd := c.Command(ctx, c.Arguments(app)...)
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("spark-submit of %s: %w (its output: %s)", app.Name, err, log.Name())
	}
	return nil
}

// Command is spark-submit with these arguments, in an environment that has
// nothing of this process's own. All that it starts ends with the context.
func (c *Client) Command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, filepath.Join(c.Dist.Home, "bin", "spark-submit"), args...)
	cmd.Dir = c.Dir
	cmd.Env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + c.Dir, "KUBECONFIG=" + os.DevNull,
		"SPARK_HOME=" + c.Dist.Home, "JAVA_HOME=" + c.Dist.JavaHome,
		// A machine whose own name doesn't resolve is no obstacle then.
		"SPARK_LOCAL_IP=127.0.0.1",
		"SPARK_LAUNCHER_OPTS=" + thrift, "SPARK_SUBMIT_OPTS=" + thrift + archived(c.Dist.ClientArchive),
	}
	// Scripts start Java in turn, so all of the group has to be ended.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }
	cmd.WaitDelay = 5 * time.Second
	return cmd
}
