package submission

import (
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"muster.sh/muster/internal/sparkconf"
)

// networkPolicy lets nobody but the application's own pods talk to its executors.
func (b *builder) networkPolicy() {
	if !b.line.networkPolicy {
		return
	}
	own := map[string]string{sparkconf.LabelAppID: b.id.AppID}
	b.owned = append(b.owned, &networkingv1.NetworkPolicy{
		ObjectMeta: metav1.ObjectMeta{Name: b.prefix + "-policy", Namespace: b.namespace, Labels: own},
		Spec: networkingv1.NetworkPolicySpec{
			PodSelector: metav1.LabelSelector{MatchLabels: map[string]string{
				sparkconf.LabelRole: sparkconf.RoleExecutor, sparkconf.LabelAppID: b.id.AppID,
			}},
			Ingress: []networkingv1.NetworkPolicyIngressRule{{
				From: []networkingv1.NetworkPolicyPeer{{PodSelector: &metav1.LabelSelector{MatchLabels: own}}},
			}},
		},
	})
}
