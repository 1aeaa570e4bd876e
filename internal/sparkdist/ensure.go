package sparkdist

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
)

// Options choose what [Ensure] provides. The zero value is [Spark430] without an
// application, in the user's cache.
type Options struct {
	// Line is the release of Spark; the zero value means Spark430.
	Line Line
	// App is the application baked into the image, below [AppPath]. It is the
	// uppermost layer, so changing it rebuilds nothing else. Nil means none.
	App fs.FS
	// CacheDir keeps the results; empty means $XDG_CACHE_HOME/muster/spark.
	CacheDir string
}

// Dist is a Spark that is ready for use. All paths are absolute, and their
// content is shared with other users of the cache: it must not be changed.
type Dist struct {
	// Version is Spark's release.
	Version string
	// Home is a SPARK_HOME; Home/bin/spark-submit is Spark's own.
	Home string
	// JavaHome is a Java that Home's scripts run with.
	JavaHome string
	// ClientArchive holds the classes of Home's spark-submit, for the option
	// -XX:SharedArchiveFile of that Java.
	ClientArchive string
	// ImageTar is the image for drivers and executors, as docker save makes it.
	ImageTar string
	// ImageName is what ImageTar is known as once a node has imported it.
	ImageName string
	// DataDir holds the data sets, with the names that they have in the image
	// below [DataPath].
	DataDir string
}

// Ensure returns a distribution and an image of one release of Spark, and
// downloads and builds what of them the cache doesn't have. Two calls at once,
// in one process or two, build once. Without a cache it takes minutes, needs
// some 3 GB of disk, python3 with pip, mmdebstrap and a JDK 17 with its jmods,
// and says which is missing.
func Ensure(ctx context.Context, o Options, progress Progress) (Dist, error) {
	if o.Line.Version == "" {
		o.Line = Spark430
	}
	if o.CacheDir == "" {
		dir, err := defaultCacheDir()
		if err != nil {
			return Dist{}, err
		}
		o.CacheDir = dir
	}
	dir, err := filepath.Abs(o.CacheDir)
	if err != nil {
		return Dist{}, err
	}
	jdk, jdkVersion, err := findJDK()
	if err != nil {
		return Dist{}, err
	}
	b := builder{cache{dir}, o, jdk, jdkVersion, progress}
	unlock, err := b.lock(ctx, progress)
	if err != nil {
		return Dist{}, err
	}
	defer unlock()
	return b.build(ctx)
}

// builder makes one distribution; it holds the cache's lock.
type builder struct {
	cache
	Options
	jdk, jdkVersion string
	progress        Progress
}

func (b *builder) build(ctx context.Context) (Dist, error) {
	version := b.Line.Version
	d := Dist{
		Version:   version,
		Home:      b.path(version),
		JavaHome:  b.jdk,
		ImageName: "muster.local/spark:" + version,
		DataDir:   b.path("data-" + flightsSdist.Project + "-" + flightsSdist.Version),
	}
	if err := b.sweep(".", "layers"); err != nil {
		return Dist{}, err
	}
	err := b.fetch(ctx, b.Line.Sdist, d.Home, func(sdist, home string, done func(int64)) error {
		return unpackHome(ctx, sdist, home, done)
	})
	if err != nil {
		return Dist{}, err
	}
	err = b.fetch(ctx, flightsSdist, d.DataDir, func(sdist, dir string, _ func(int64)) error {
		return unpackFlights(ctx, sdist, dir)
	})
	if err != nil {
		return Dist{}, err
	}
	if d.ClientArchive, err = b.clientArchive(ctx, d); err != nil {
		return Dist{}, err
	}
	d.ImageTar, err = b.image(ctx, d)
	return d, err
}

// fetch downloads a source package and unpacks it to dest.
func (b *builder) fetch(ctx context.Context, s Sdist, dest string, unpack func(sdist, dest string, done func(int64)) error) error {
	return b.once(dest, func(tmp string) error {
		scratch := tmp + ".sdist"
		defer os.RemoveAll(scratch)
		if err := os.MkdirAll(scratch, 0o755); err != nil {
			return err
		}
		archive, err := s.download(ctx, scratch, b.progress)
		if err != nil {
			return err
		}
		name := fmt.Sprintf("unpack %s %s", s.Project, s.Version)
		return b.progress.step(name, s.Size, func(done func(int64)) error { return unpack(archive, tmp, done) })
	})
}

// part is one layer of the image: what it is made of, and how.
type part struct {
	name, key, step string
	build           func(dest string) error
}

// parts lists the image's layers, the least changing first.
func (b *builder) parts(ctx context.Context, d Dist) ([]part, error) {
	rootfs := part{
		name: "rootfs", step: "build a Debian " + debianSuite + " userland",
		key:   key(append([]string{runtime.GOARCH}, rootfsRecipe...)...),
		build: func(dest string) error { return buildRootfs(ctx, dest) },
	}
	jre := part{
		name: "jre", step: "build a Java " + javaMajor + " runtime",
		key:   key(append([]string{runtime.GOARCH, b.jdk, b.jdkVersion}, jreModules...)...),
		build: func(dest string) error { return buildJRE(ctx, b.jdk, dest) },
	}
	spark := part{
		name: "spark-" + d.Version, step: "pack Spark " + d.Version,
		key:   key(slices.Concat([]string{rootfs.key, b.Line.Sdist.SHA256, string(entrypoint)}, pythonRecipe, b.Line.DropJars)...),
		build: func(dest string) error { return buildSpark(ctx, d.Home, b.layerPath(rootfs), b.Line.DropJars, dest) },
	}
	classes := part{
		name: "classes-" + d.Version, step: "archive the classes of Spark " + d.Version,
		key: key(rootfs.key, jre.key, spark.key, string(rehearsal)),
		build: func(dest string) error {
			return buildClasses(ctx, []string{b.layerPath(rootfs), b.layerPath(jre), b.layerPath(spark)}, dest)
		},
	}
	data := part{
		name: "data", step: "pack the data",
		key:   key(flightsSdist.SHA256),
		build: func(dest string) error { return buildTree(os.DirFS(d.DataDir), DataPath, dest) },
	}
	if b.App == nil {
		return []part{rootfs, jre, spark, classes, data}, nil
	}
	content, err := contentKey(b.App)
	if err != nil {
		return nil, fmt.Errorf("read the application: %w", err)
	}
	app := part{
		name: "app", step: "pack the application",
		key:   content,
		build: func(dest string) error { return buildTree(b.App, AppPath, dest) },
	}
	return []part{rootfs, jre, spark, classes, data, app}, nil
}

func (b *builder) layerPath(p part) string { return b.path("layers", p.name+"-"+p.key+".tar") }

// image builds the image out of its layers, and the layers that are missing.
func (b *builder) image(ctx context.Context, d Dist) (string, error) {
	parts, err := b.parts(ctx, d)
	if err != nil {
		return "", err
	}
	config, err := json.Marshal(imageConfig)
	if err != nil {
		return "", err
	}
	ingredients := []string{d.ImageName, string(config)}
	for _, p := range parts {
		ingredients = append(ingredients, p.key)
	}
	prefix := "image-" + d.Version + "-"
	dest := b.path(prefix + key(ingredients...) + ".tar")
	err = b.once(dest, func(tmp string) error {
		var paths []string
		for _, p := range parts {
			if err := b.layer(ctx, p); err != nil {
				return err
			}
			paths = append(paths, b.layerPath(p))
		}
		return b.progress.step("assemble image "+d.ImageName, totalSize(paths), func(done func(int64)) error {
			return writeImage(tmp, d.ImageName, paths, done)
		})
	})
	return dest, errors.Join(err, b.prune(".", prefix))
}

func (b *builder) layer(ctx context.Context, p part) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	err := b.once(b.layerPath(p), func(tmp string) error {
		return b.progress.step(p.step, 0, func(func(int64)) error { return p.build(tmp) })
	})
	return errors.Join(err, b.prune("layers", p.name+"-"))
}

func totalSize(paths []string) (sum int64) {
	for _, p := range paths {
		sum += treeSize(p)
	}
	return sum
}

// contentKey is the key of a file tree's names and contents.
func contentKey(tree fs.FS) (string, error) {
	var all []string
	err := fs.WalkDir(tree, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := fs.ReadFile(tree, name)
		all = append(all, name, string(content))
		return err
	})
	return key(all...), err
}
