package submission

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"muster.sh/muster/internal/sparkconf"
)

const (
	prefixVolume         = "spark.kubernetes.driver.volumes."
	prefixExecutorVolume = "spark.kubernetes.executor.volumes."
	keyOldAccessMode     = "spark.kubernetes.legacy.useReadWriteOnceAccessMode"

	typeClaim = "persistentVolumeClaim"

	// onDemand stands for a claim that Spark makes.
	onDemand = "OnDemand"
)

// volumes adds the volumes that settings describe.
func (b *builder) volumes() {
	// Those of executors would stop the driver later on.
	b.volumeSettings(prefixExecutorVolume)
	paths := map[string]bool{}
	for i, v := range b.volumeSettings(prefixVolume) {
		if paths[v.mount.MountPath] {
			b.conf.Fail(v.key("mount.path"), v.mount.MountPath, "is the path of another volume", "write another path")
			return
		}
		paths[v.mount.MountPath] = true
		b.mount(corev1.Volume{Name: v.name, VolumeSource: b.volumeSource(v, i)}, v.mount)
	}
}

// volume is what settings say of one volume.
type volume struct {
	prefix, kind, name string
	options            map[string]string
	mount              corev1.VolumeMount
}

// key is the setting of an option.
func (v *volume) key(option string) string { return v.prefix + v.kind + "." + v.name + "." + option }

// volumeSettings reads and checks the volumes of a kind of pods, sorted by type and
// name.
func (b *builder) volumeSettings(prefix string) []volume {
	byName := map[string]volume{}
	for key, value := range b.conf.WithPrefix(prefix) {
		parts := strings.SplitN(key, ".", 3)
		if len(parts) < 2 {
			continue
		}
		id := parts[0] + "." + parts[1]
		v, known := byName[id]
		if !known {
			v = volume{prefix: prefix, kind: parts[0], name: parts[1], options: map[string]string{}}
			byName[id] = v
		}
		v.options[strings.Join(parts[2:], "")] = value
	}
	var volumes []volume
	for _, id := range slices.Sorted(maps.Keys(byName)) {
		v := byName[id]
		b.checkVolume(v)
		v.mount = b.volumeMount(v)
		volumes = append(volumes, v)
	}
	return volumes
}

// neededOptions are what each type of volume can't do without.
var neededOptions = map[string][]string{
	"emptyDir": {},
	"hostPath": {"options.path"},
	"nfs":      {"options.path", "options.server"},
	typeClaim:  {"options.claimName"},
}

func (b *builder) checkVolume(v volume) {
	needed, known := neededOptions[v.kind]
	if !known {
		b.conf.Fail(v.prefix+v.kind, v.kind, "is not a type of volume that Spark knows", "use a pod template for it")
		return
	}
	for _, option := range append([]string{"mount.path"}, needed...) {
		if _, set := v.options[option]; !set {
			b.conf.Fail(v.key(option), "", "is required for a volume of type "+v.kind, "set it")
		}
	}
	if size, set := v.options["options.sizeLimit"]; set {
		bytes, err := strconv.ParseInt(size, 10, 64)
		if err == nil && bytes < 1024 {
			b.conf.Fail(v.key("options.sizeLimit"), size, "is less than 1Ki", "add a unit, such as Gi")
		}
	}
}

func (b *builder) volumeMount(v volume) corev1.VolumeMount {
	subPath, subPathExpr := v.options["mount.subPath"], v.options["mount.subPathExpr"]
	if subPath != "" && subPathExpr != "" {
		b.conf.Fail(v.key("mount.subPath"), subPath, "can't be had with mount.subPathExpr", "set one of the two")
	}
	if !b.line.subPathExpressions {
		subPathExpr = ""
	}
	return corev1.VolumeMount{
		MountPath: v.options["mount.path"], SubPath: subPath, SubPathExpr: subPathExpr,
		ReadOnly: b.conf.Boolean(v.key("mount.readOnly"), false),
	}
}

// volumeSource is what is mounted; index counts the volumes of the pod.
func (b *builder) volumeSource(v volume, index int) corev1.VolumeSource {
	switch v.kind {
	case "hostPath":
		kind := corev1.HostPathUnset
		if b.line.hostPathTypes {
			kind = corev1.HostPathType(v.options["options.type"])
		}
		return corev1.VolumeSource{HostPath: &corev1.HostPathVolumeSource{Path: v.options["options.path"], Type: &kind}}
	case "nfs":
		return corev1.VolumeSource{NFS: &corev1.NFSVolumeSource{Path: v.options["options.path"], Server: v.options["options.server"]}}
	case typeClaim:
		return corev1.VolumeSource{PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{
			ClaimName: b.claim(v, index), ReadOnly: v.mount.ReadOnly,
		}}
	}
	source := &corev1.EmptyDirVolumeSource{Medium: corev1.StorageMedium(v.options["options.medium"])}
	if _, set := v.options["options.sizeLimit"]; set {
		source.SizeLimit = ptr.To(b.size(v))
	}
	return corev1.VolumeSource{EmptyDir: source}
}

func (b *builder) size(v volume) resource.Quantity {
	size, _ := b.conf.Quantity(v.key("options.sizeLimit"))
	return size
}

// claim names the claim of a volume, and makes it if its class and size are given.
func (b *builder) claim(v volume, index int) string {
	name := strings.ReplaceAll(v.options["options.claimName"], onDemand, b.prefix+"-driver-pvc-"+strconv.Itoa(index))
	class, hasClass := v.options["options.storageClass"]
	_, sized := v.options["options.sizeLimit"]
	if !hasClass || !sized {
		if name != v.options["options.claimName"] {
			b.conf.Fail(v.key("options.claimName"), onDemand, "is a claim that can't be made without options.storageClass and options.sizeLimit", "set both")
		}
		return name
	}
	labels, annotations := map[string]string{}, map[string]string{}
	if b.line.labelsClaims {
		labels, annotations = v.withPrefix("label."), v.withPrefix("annotation.")
	}
	mode := corev1.ReadWriteOncePod
	if b.conf.Boolean(keyOldAccessMode, b.line.oldAccessMode) {
		mode = corev1.ReadWriteOnce
	}
	b.owned = append(b.owned, &corev1.PersistentVolumeClaim{
		ObjectMeta: metav1.ObjectMeta{
			Name: name, Namespace: b.namespace,
			Labels: merged(labels, map[string]string{sparkconf.LabelAppID: b.id.AppID}), Annotations: merged(nil, annotations),
		},
		Spec: corev1.PersistentVolumeClaimSpec{
			StorageClassName: &class,
			AccessModes:      []corev1.PersistentVolumeAccessMode{mode},
			Resources:        corev1.VolumeResourceRequirements{Requests: corev1.ResourceList{corev1.ResourceStorage: b.size(v)}},
		},
	})
	return name
}

func (v *volume) withPrefix(prefix string) map[string]string {
	found := map[string]string{}
	for option, value := range v.options {
		if rest, ok := strings.CutPrefix(option, prefix); ok {
			found[rest] = value
		}
	}
	return found
}
