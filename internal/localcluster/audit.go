package localcluster

import (
	_ "embed"
	"os"
)

//go:embed audit-policy.yaml
var auditPolicy []byte

// auditArgs turns the API server's audit log on. The log is written before a
// request is answered (blocking), so that a killed API server has logged
// everything it ever acknowledged, and it is never rotated: a reader finds
// the cluster's whole life in one file.
func auditArgs(paths layout) ([]string, error) {
	if err := os.WriteFile(paths.auditPolicy(), auditPolicy, 0o600); err != nil {
		return nil, err
	}
	return []string{
		"--audit-policy-file=" + paths.auditPolicy(),
		"--audit-log-path=" + paths.auditLog(),
		"--audit-log-mode=blocking",
		"--audit-log-format=json",
		"--audit-log-maxsize=0",
	}, nil
}
