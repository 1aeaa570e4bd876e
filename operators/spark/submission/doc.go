// Package submission makes the objects that Spark's own client makes when it submits
// an application to Kubernetes in cluster mode: the driver's pod, its headless
// Service, the ConfigMap with spark.properties, and what else the settings ask for.
// It does so without a JVM, in microseconds.
//
// It restates spark-submit and the driver's feature steps, one file a step, for the
// lines 3.5 and 4.0 to 4.3 of Spark. What differs between lines is in line.go. The
// tests compare the objects with those of the real spark-submit, field by field.
//
// The package is pure: whatever is new with each submission is passed in, so the same
// input makes the same objects. What Spark's client would read from the machine that it
// runs on, such as files to be uploaded, is refused with the key at fault. So is what
// the API server would not take.
package submission
