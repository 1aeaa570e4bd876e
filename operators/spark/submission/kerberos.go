package submission

import (
	"strings"

	corev1 "k8s.io/api/core/v1"
)

//nolint:gosec // These are names of settings, not credentials.
const (
	keyPrincipal   = "spark.kerberos.principal"
	keyKeytab      = "spark.kerberos.keytab"
	keyKrb5File    = "spark.kubernetes.kerberos.krb5.path"
	keyKrb5Map     = "spark.kubernetes.kerberos.krb5.configMapName"
	keyTokenSecret = "spark.kubernetes.kerberos.tokenSecret.name"
	keyTokenItem   = "spark.kubernetes.kerberos.tokenSecret.itemKey"
)

// kerberos shows Kerberos' configuration and delegation tokens, those that are in the
// cluster already.
func (b *builder) kerberos() {
	b.together(keyPrincipal, keyKeytab)
	b.together(keyTokenSecret, keyTokenItem)
	if key, file, found := b.conf.Text(keyKeytab); found && !strings.HasPrefix(file, "local:") {
		b.conf.Fail(key, file, "is not in the image", "write local:// and the path in the image, which a Secret may be mounted at")
	}
	if key, file, found := b.conf.Text(keyKrb5File); found {
		b.conf.Fail(key, file, "is a file that can't be read from here", "put it into a ConfigMap, and name that by "+keyKrb5Map)
	}
	if _, name, found := b.conf.Text(keyKrb5Map); found {
		b.mount(configMapVolume("krb5-file", name), corev1.VolumeMount{MountPath: "/etc/krb5.conf", SubPath: "krb5.conf"})
	}
	if _, name, found := b.conf.Text(keyTokenSecret); found {
		const folder = "/mnt/secrets/hadoop-credentials"
		_, item, _ := b.conf.Text(keyTokenItem)
		b.mount(secretVolume("hadoop-secret", name), corev1.VolumeMount{MountPath: folder})
		b.setEnv("HADOOP_TOKEN_FILE_LOCATION", folder+"/"+item)
	}
}

// together refuses one of two settings without the other.
func (b *builder) together(first, second string) {
	_, _, hasFirst := b.conf.Text(first)
	_, _, hasSecond := b.conf.Text(second)
	if hasFirst == hasSecond {
		return
	}
	missing, given := first, second
	if hasFirst {
		missing, given = second, first
	}
	b.conf.Fail(missing, "", "is not set, but "+given+" is", "set both or none")
}
