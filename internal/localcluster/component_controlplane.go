package localcluster

import (
	"context"
	"slices"
	"time"
)

// controlPlane returns etcd, API server and controller manager: one process
// that holds all three, or three.
func (b *blueprint) controlPlane() ([]component, error) {
	etcdConfig, err := b.writeEtcdConfig()
	if err != nil {
		return nil, err
	}
	apiArgs, err := b.apiServerArgs()
	if err != nil {
		return nil, err
	}
	if b.spec.SeparateProcesses || b.spec.older() {
		return []component{b.etcd(etcdConfig), b.apiServer(apiArgs), b.controllerManager()}, nil
	}
	// Feature gates are process-wide, so only the API server's flags name them.
	args := slices.Concat(
		[]string{"control-plane"},
		[]string{"etcd", "--config-file=" + etcdConfig},
		[]string{"kube-apiserver"}, apiArgs,
		[]string{"kube-controller-manager"}, b.controllerManagerArgs(),
	)
	apiReady := b.apiServerReady()
	managerReady := b.serves(portControllerManager, "/healthz")
	return []component{{
		name:   "control-plane",
		binary: b.binary,
		args:   args,
		ready: func(ctx context.Context) error {
			if err := apiReady(ctx); err != nil {
				return err
			}
			return managerReady(ctx)
		},
		grace: 45 * time.Second,
	}}, nil
}
