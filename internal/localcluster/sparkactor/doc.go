// Package sparkactor plays Spark on simulated nodes, where no driver can run.
//
// Submit makes the objects that spark-submit makes, in its order. Run behaves as
// the drivers would: as soon as a driver pod is Running it creates executors in
// batches, replaces those that are lost, works off its simulated work while
// enough of them run, and then deletes them and ends. It reads what to do from
// the application's own spark.properties, so that an unchanged spark-submit can
// be played as well. It touches no driver on a real node.
//
// What it makes carries the label muster.sh/simulated=true.
package sparkactor
