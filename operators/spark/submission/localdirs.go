package submission

import (
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

const (
	keyLocalDir     = "spark.local.dir"
	keyLocalTmpfs   = "spark.kubernetes.local.dirs.tmpfs"
	localDirsVolume = "spark-local-dir-"
)

// localDirs are the folders for Spark's own data: those of volumes whose names say so,
// else empty ones.
func (b *builder) localDirs() {
	var folders []string
	for _, mount := range b.container.VolumeMounts {
		if strings.HasPrefix(mount.Name, localDirsVolume) {
			folders = append(folders, mount.MountPath)
		}
	}
	if folders == nil {
		folders = b.makeLocalDirs()
	}
	b.setEnv("SPARK_LOCAL_DIRS", strings.Join(folders, ","))
}

func (b *builder) makeLocalDirs() []string {
	folders := []string{"/var/data/" + b.id.AppID}
	if _, text, found := b.conf.Text(keyLocalDir); found {
		folders = strings.Split(text, ",")
	}
	medium := corev1.StorageMediumDefault
	if b.conf.Boolean(keyLocalTmpfs, false) {
		medium = corev1.StorageMediumMemory
	}
	for i, folder := range folders {
		b.mount(corev1.Volume{
			Name:         localDirsVolume + strconv.Itoa(i+1),
			VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{Medium: medium}},
		}, corev1.VolumeMount{MountPath: folder})
	}
	return folders
}
