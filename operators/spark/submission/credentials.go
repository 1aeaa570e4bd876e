package submission

import (
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
)

//nolint:gosec // These are names of settings, not credentials.
const (
	prefixCredentials  = "spark.kubernetes.authenticate.driver."
	keyServiceAccount  = prefixCredentials + "serviceAccountName"
	keyToken           = prefixCredentials + "oauthToken"
	keyMountedToken    = prefixCredentials + "mounted.oauthTokenFile"
	credentialsFolder  = "/mnt/secrets/spark-kubernetes-credentials"
	credentialsVolume  = "kubernetes-credentials"
	tokenInCredentials = "oauth-token"
)

// credentials are those that the driver has for the API server: a service account, or
// a token of its own in a Secret.
func (b *builder) credentials() {
	for _, name := range []string{"caCertFile", "clientKeyFile", "clientCertFile"} {
		if key, file, found := b.conf.Text(prefixCredentials + name); found {
			b.conf.Fail(key, file, "is a file that can't be read from here",
				"mount a Secret into the driver, and name the file in it by "+prefixCredentials+"mounted."+name)
		}
	}
	for key := range b.stored {
		if strings.HasSuffix(key, "oauthToken") {
			b.stored[key] = "<present_but_redacted>"
		}
	}
	_, token, found := b.conf.Text(keyToken)
	if !found {
		b.serviceAccount()
		return
	}
	name := b.prefix + "-kubernetes-credentials"
	b.owned = append(b.owned, &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: b.namespace},
		Immutable:  ptr.To(true),
		Data:       map[string][]byte{tokenInCredentials: []byte(token)},
	})
	b.mount(secretVolume(credentialsVolume, name), corev1.VolumeMount{MountPath: credentialsFolder})
	setUnset(b.stored, keyMountedToken, credentialsFolder+"/"+tokenInCredentials, true)
}

func (b *builder) serviceAccount() {
	if _, name, found := b.conf.Text(keyServiceAccount); found {
		b.pod.Spec.ServiceAccountName = name
		b.pod.Spec.DeprecatedServiceAccount = name
	}
}
