package sparkdist

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// clientArchive archives the classes of spark-submit as the client runs it, which
// saves a quarter of the CPU time of a submission.
func (b *builder) clientArchive(ctx context.Context, d Dist) (string, error) {
	prefix := "client-" + d.Version + "-"
	dest := b.path(prefix + key(b.Line.Sdist.SHA256, b.jdk, b.jdkVersion) + ".jsa")
	err := b.once(dest, func(tmp string) error {
		return b.progress.step("archive the classes of spark-submit "+d.Version, 0, func(func(int64)) error {
			return rehearseSubmission(ctx, d, tmp)
		})
	})
	if err != nil {
		return "", err
	}
	return dest, b.prune(".", prefix)
}

// rehearseSubmission submits to nobody, which has to fail once nearly all classes
// have been loaded.
func rehearseSubmission(ctx context.Context, d Dist, dest string) error {
	cmd := exec.CommandContext(ctx, filepath.Join(d.Home, "bin", "spark-submit"),
		"--master", "k8s://"+nobody, "--deploy-mode", "cluster", "--conf", "spark.kubernetes.container.image=none", "local:///none.py")
	cmd.Env = []string{
		"PATH=" + os.Getenv("PATH"), "SPARK_HOME=" + d.Home, "JAVA_HOME=" + d.JavaHome, "SPARK_LOCAL_IP=127.0.0.1",
		"KUBECONFIG=" + os.DevNull, "SPARK_SUBMIT_OPTS=" + archiveAtExit(dest),
	}
	cmd.WaitDelay = 10 * time.Second
	output, _ := cmd.CombinedOutput()
	if _, err := os.Stat(dest); err != nil {
		return fmt.Errorf("archive the classes of spark-submit: %w\n%s", err, lastLines(string(output), 15))
	}
	return nil
}
