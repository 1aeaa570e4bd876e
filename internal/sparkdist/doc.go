// Package sparkdist provides a Spark that runs on Kubernetes without Docker and
// without a container registry: a distribution for the client's side
// (bin/spark-submit), and an image of the same version as a tar file that a
// node can import.
//
// Everything comes from the ordinary package registries. Spark itself is the
// source package of PySpark on PyPI, which carries the jars and the scripts of
// a whole distribution; the image's userland is Debian; its Java runtime is cut
// from the JDK of the machine that builds it. All of it is built once, into the
// user's cache, and each part is built again only when what it is made of
// changes: see [Ensure].
package sparkdist
