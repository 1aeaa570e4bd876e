package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"

	"github.com/spf13/cobra"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"

	explainv1 "muster.sh/muster/api/explain/v1"
)

// schedulerVariable names the scheduler where no flag does.
const schedulerVariable = "MUSTER_SCHEDULER"

// maxAnswer bounds what is read of an answer.
const maxAnswer = 64 << 20

// asker asks the scheduler, as the caller that the kubeconfig names.
type asker struct {
	*caller
	server   string
	insecure bool
}

func (a *asker) addFlags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&a.server, "scheduler", os.Getenv(schedulerVariable), "URL of the scheduler that leads, such as https://127.0.0.1:10263 (default $"+schedulerVariable+")")
	cmd.Flags().BoolVar(&a.insecure, "scheduler-insecure", false, "don't verify the scheduler's certificate, which is its own unless it was given one; for a forwarded port")
}

var errNoScheduler = errors.New(`name the scheduler with --scheduler or $` + schedulerVariable + `; to reach one in the cluster:
  kubectl -n NAMESPACE get lease muster-scheduler -o jsonpath='{.spec.holderIdentity}'   # its pod, "_" and a number
  kubectl -n NAMESPACE port-forward pod/POD 10263 &
  export ` + schedulerVariable + `=https://127.0.0.1:10263   # and give --scheduler-insecure`)

// get asks for a path, and reads the answer.
func (a *asker) get(ctx context.Context, path string, query url.Values, into any) error {
	if a.server == "" {
		return errNoScheduler
	}
	_, config, err := a.names()
	if err != nil {
		return err
	}
	own := rest.CopyConfig(config)
	own.CAData, own.CAFile, own.ServerName = nil, "", ""
	own.Insecure = a.insecure
	client, err := rest.HTTPClientFor(own)
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimRight(a.server, "/")+path+"?"+query.Encode(), nil)
	if err != nil {
		return err
	}
	answer, err := client.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = answer.Body.Close() }() // it was read
	body, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer))
	switch {
	case err != nil:
		return err
	case answer.StatusCode == http.StatusOK:
		return json.Unmarshal(body, into)
	}
	var problem explainv1.Problem
	if json.Unmarshal(body, &problem) == nil && problem.Title != "" {
		return &problem
	}
	var status metav1.Status
	said := short(string(body))
	if json.Unmarshal(body, &status) == nil && status.Message != "" {
		said = status.Message
	}
	if own.BearerToken == "" && own.BearerTokenFile == "" {
		said += "; it knows callers by their token, and the kubeconfig names none: give one with --token, such as \"kubectl create token NAME\" prints"
	}
	return fmt.Errorf("the scheduler answers %s: %s", answer.Status, said)
}
