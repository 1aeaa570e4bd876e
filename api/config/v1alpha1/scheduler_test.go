package v1alpha1

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const header = "apiVersion: config.muster.sh/v1alpha1\nkind: SchedulerConfiguration\n"

func TestAnEmptyFileMeansTheDefaults(t *testing.T) {
	c, err := ParseScheduler([]byte(header))
	if err != nil {
		t.Fatal(err)
	}
	if c.SchedulerName != "muster" || c.ServeDefaultScheduler {
		t.Errorf("names: %q, serveDefaultScheduler %v", c.SchedulerName, c.ServeDefaultScheduler)
	}
	if !*c.LeaderElection.LeaderElect || c.LeaderElection.ResourceNamespace != "kube-system" {
		t.Errorf("leader election: %+v", c.LeaderElection)
	}
	if c.Serving.BindAddress != "127.0.0.1" || *c.Serving.Port == 0 {
		t.Errorf("serving: %s:%d", c.Serving.BindAddress, *c.Serving.Port)
	}
	if c.Consolidation.Enabled || c.Consolidation.MaxMoves != 8 || *c.Consolidation.MaxTries == 0 {
		t.Errorf("consolidation: %+v", c.Consolidation)
	}
	if r := c.Reclaim; !*r.Enabled || r.MaxEvictions != 5000 || r.After.Duration != time.Second || r.MinRuntime.Duration != 0 {
		t.Errorf("reclaim: %+v", r)
	}
	if c.Gangs.ExpectedMemberTimeout.Duration != 5*time.Minute || c.Gangs.ExpectedMemberBackOff.Duration != time.Minute || c.Gangs.BelowMinimum.Policy != ContinueBelowMinimum || *c.Spark.MinExecutorsFloor != 1 || c.Placement.Strategy != Pack {
		t.Errorf("gangs %+v, spark %+v, placement %+v", c.Gangs, c.Spark, c.Placement)
	}
	if r := c.Record; r.File != "" || r.MaxSize.Value() != 256<<20 {
		t.Errorf("record %+v", r)
	}
	if a := c.Autoscaling; a.Asks() || a.ProvisioningClassName != "best-effort-atomic-scale-up.autoscaling.x-k8s.io" || a.After.Duration != 5*time.Second {
		t.Errorf("autoscaling %+v", a)
	}
}

func TestWhatAFileSaysIsKept(t *testing.T) {
	c, err := ParseScheduler([]byte(header + `
schedulerName: batch
serveDefaultScheduler: true
clientConnection: {kubeconfig: /etc/kubeconfig, qps: -1, burst: 7}
leaderElection: {leaderElect: false}
serving: {bindAddress: "0.0.0.0", port: 0}
gangs: {expectedMemberTimeout: 90s, expectedMemberBackOff: 0s, maxAttempts: 3, belowMinimum: {policy: Wait, timeout: 7m}}
spark: {minExecutorsFloor: 0, configMapTimeout: 1m}
placement: {strategy: Fragmentation}
consolidation: {enabled: true, maxMoves: 3, maxTries: 0, after: 10s, cooldown: 1h, timeout: 1m}
reclaim: {enabled: false, maxEvictions: 7, maxTries: 0, after: 2s, minRuntime: 3m, cooldown: 1h, timeout: 1m}
backfill: {depth: 0}
podGroups: {empty: Enqueue}
autoscaling: {request: CapacityBuffer, markPods: true, after: 1m}
record: {file: /var/log/muster, maxSize: 1Gi}
`))
	if err != nil {
		t.Fatal(err)
	}
	switch {
	case c.SchedulerName != "batch", !c.ServeDefaultScheduler, *c.LeaderElection.LeaderElect,
		c.ClientConnection != ClientConnection{Kubeconfig: "/etc/kubeconfig", QPS: -1, Burst: 7},
		c.Serving.BindAddress != "0.0.0.0", *c.Serving.Port != 0,
		c.Gangs.ExpectedMemberTimeout != metav1.Duration{Duration: 90 * time.Second}, c.Gangs.MaxAttempts != 3,
		c.Gangs.ExpectedMemberBackOff.Duration != 0,
		c.Gangs.BelowMinimum != BelowMinimum{WaitBelowMinimum, metav1.Duration{Duration: 7 * time.Minute}},
		*c.Spark.MinExecutorsFloor != 0, c.Spark.ConfigMapTimeout.Duration != time.Minute,
		c.Placement.Strategy != Fragmentation, c.PodGroups.Empty != EnqueueEmpty,
		!c.Consolidation.Enabled, c.Consolidation.MaxMoves != 3, *c.Consolidation.MaxTries != 0, c.Consolidation.After.Duration != 10*time.Second,
		c.Consolidation.Cooldown.Duration != time.Hour, c.Consolidation.Timeout.Duration != time.Minute,
		*c.Reclaim.Enabled, c.Reclaim.MaxEvictions != 7, *c.Reclaim.MaxTries != 0, c.Reclaim.After.Duration != 2*time.Second,
		c.Reclaim.MinRuntime.Duration != 3*time.Minute, c.Reclaim.Cooldown.Duration != time.Hour, c.Reclaim.Timeout.Duration != time.Minute,
		*c.Backfill.Depth != 0,
		c.Record.File != "/var/log/muster", c.Record.MaxSize.Value() != 1<<30,
		c.Autoscaling.Request != RequestBuffers, !c.Autoscaling.MarkPods, c.Autoscaling.After.Duration != time.Minute:
		t.Errorf("read %+v", c)
	}
}

func TestAWrongFileIsRefusedWithItsCause(t *testing.T) {
	for name, tc := range map[string]struct{ text, want string }{
		"an unknown field":               {header + "schedulerNames: x\n", `unknown field "schedulerNames"`},
		"an unknown nested field":        {header + "spark: {floor: 2}\n", `unknown field "spark.floor"`},
		"a field twice":                  {header + "schedulerName: a\nschedulerName: b\n", "schedulerName"},
		"another kind":                   {"apiVersion: config.muster.sh/v1alpha1\nkind: Pod\n", `kind "Pod"`},
		"another version":                {"apiVersion: config.muster.sh/v1\nkind: SchedulerConfiguration\n", `config.muster.sh/v1"`},
		"no version":                     {"schedulerName: muster\n", `apiVersion ""`},
		"the default scheduler's name":   {header + "schedulerName: default-scheduler\n", "schedulerName: Invalid value: \"default-scheduler\": choose another name"},
		"a name that is no name":         {header + "schedulerName: Two Words\n", "schedulerName: Invalid value"},
		"a host name to bind to":         {header + "serving: {bindAddress: localhost}\n", "serving.bindAddress"},
		"a port that does not exist":     {header + "serving: {port: 70000}\n", "serving.port"},
		"a certificate without its key":  {header + "serving: {certFile: /a}\n", "serving.certFile"},
		"a lease shorter than renewal":   {header + "leaderElection: {leaseDuration: 5s}\n", "leaderElection.leaseDuration"},
		"a renewal shorter than retries": {header + "leaderElection: {renewDeadline: 1s}\n", "leaderElection.renewDeadline"},
		"a lease without a place":        {header + "leaderElection: {resourceNamespace: a.b}\n", "leaderElection.resourceNamespace"},
		"a negative burst":               {header + "clientConnection: {burst: -1}\n", "clientConnection.burst"},
		"a negative duration":            {header + "gangs: {expectedMemberTimeout: -1s}\n", "gangs.expectedMemberTimeout"},
		"a back-off that is too long":    {header + "gangs: {expectedMemberBackOff: 1h}\n", "gangs.expectedMemberBackOff"},
		"a policy below the minimum that does not exist": {header + "gangs: {belowMinimum: {policy: Evict}}\n",
			"gangs.belowMinimum.policy: Unsupported value: \"Evict\": supported values: \"Continue\", \"Wait\", \"Go\""},
		"no time below the minimum":      {header + "gangs: {belowMinimum: {timeout: -1s}}\n", "gangs.belowMinimum.timeout"},
		"no attempt":                     {header + "gangs: {maxAttempts: -1}\n", "gangs.maxAttempts"},
		"a negative floor":               {header + "spark: {minExecutorsFloor: -1}\n", "spark.minExecutorsFloor"},
		"a duration without unit":        {header + "spark: {settleTime: \"5\"}\n", "missing unit"},
		"a strategy that does not exist": {header + "placement: {strategy: binpack}\n", "placement.strategy: Unsupported value: \"binpack\": supported values: \"Pack\", \"Spread\", \"Fragmentation\""},
		"a policy that does not exist":   {header + "podGroups: {empty: Adopt}\n", "podGroups.empty: Unsupported value"},
		"a request nobody answers":       {header + "autoscaling: {request: Please}\n", "autoscaling.request: Unsupported value: \"Please\""},
		"a class that is no name":        {header + "autoscaling: {provisioningClassName: A b}\n", "autoscaling.provisioningClassName"},
		"to ask before anything lacks":   {header + "autoscaling: {after: -1s}\n", "autoscaling.after"},
		"too many moves":                 {header + "consolidation: {maxMoves: 101}\n", "consolidation.maxMoves"},
		"a negative number of tries":     {header + "consolidation: {maxTries: -1}\n", "consolidation.maxTries"},
		"a negative cooldown":            {header + "consolidation: {cooldown: -1s}\n", "consolidation.cooldown"},
		"no evictions":                   {header + "reclaim: {maxEvictions: -1}\n", "reclaim.maxEvictions"},
		"a negative number of sets":      {header + "reclaim: {maxTries: -1}\n", "reclaim.maxTries"},
		"a negative runtime":             {header + "reclaim: {minRuntime: -1s}\n", "reclaim.minRuntime"},
		"no time to go":                  {header + "reclaim: {timeout: -1s}\n", "reclaim.timeout"},
		"a negative depth":               {header + "backfill: {depth: -1}\n", "backfill.depth"},
		"an unknown field of a record":   {header + "record: {path: /x}\n", `unknown field "record.path"`},
		"a record of no size":            {header + "record: {maxSize: 1k}\n", "record.maxSize: Invalid value: \"1k\": must be at least 1Mi"},
		"a size that is no quantity":     {header + "record: {maxSize: much}\n", "quantities must match"},
		"what is no YAML":                {header + "spark: [", "yaml"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := ParseScheduler([]byte(tc.text))
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, want an error with %q", err, tc.want)
			}
		})
	}
}

func TestEveryMistakeIsReportedAtOnce(t *testing.T) {
	_, err := ParseScheduler([]byte(header + "gangs: {maxAttempts: -1, retryAfter: -1s}\n"))
	if err == nil || !strings.Contains(err.Error(), "maxAttempts") || !strings.Contains(err.Error(), "retryAfter") {
		t.Errorf("got %v", err)
	}
}

func TestLoadingNamesTheFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "scheduler.yaml")
	if _, err := LoadScheduler(path); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("missing file: %v", err)
	}
	if err := os.WriteFile(path, []byte("kind: Pod\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := LoadScheduler(path); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("wrong file: %v", err)
	}
}
