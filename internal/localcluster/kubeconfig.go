package localcluster

import (
	"context"
	"fmt"
	"os"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"muster.sh/muster/internal/localcluster/pki"
)

// contextName is the cluster's and the context's name in kubeconfigs.
const contextName = "muster-local"

// writeKubeconfig writes a kubeconfig that holds its certificates itself, so
// that it can be copied elsewhere.
func writeKubeconfig(path, server string, ca *pki.Authority, user string) error {
	var data [3][]byte
	for i, file := range []string{ca.CertFile("ca"), ca.CertFile(user), ca.KeyFile(user)} {
		content, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		data[i] = content
	}
	config := clientcmdapi.NewConfig()
	config.Clusters[contextName] = &clientcmdapi.Cluster{Server: server, CertificateAuthorityData: data[0]}
	config.AuthInfos[user] = &clientcmdapi.AuthInfo{ClientCertificateData: data[1], ClientKeyData: data[2]}
	config.Contexts[contextName] = &clientcmdapi.Context{Cluster: contextName, AuthInfo: user}
	config.CurrentContext = contextName
	return clientcmd.WriteToFile(*config, path)
}

// loadKubeconfig returns a client configuration without throttling: tests and
// benchmarks on one machine wait for the API server, not for the client.
func loadKubeconfig(path string) (*rest.Config, error) {
	config, err := clientcmd.BuildConfigFromFlags("", path)
	if err != nil {
		return nil, fmt.Errorf("load kubeconfig: %w", err)
	}
	config.QPS = -1
	config.UserAgent = "muster-local"
	return config, nil
}

func (b *blueprint) apiServerReady() func(context.Context) error {
	return func(ctx context.Context) error {
		config, err := loadKubeconfig(b.paths.kubeconfig("admin"))
		if err != nil {
			return err
		}
		client, err := kubernetes.NewForConfig(config)
		if err != nil {
			return err
		}
		return client.Discovery().RESTClient().Get().AbsPath("/readyz").Do(ctx).Error()
	}
}
