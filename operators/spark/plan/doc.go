// Package plan decides what becomes of a SparkApplication: which objects its
// submission creates. It maps the fields of the v1beta2 API as Kubeflow's Spark
// operator maps them to settings of spark-submit, and puts into pod templates what
// that operator's webhook adds to pods, so that no webhook is needed.
//
// The package is pure. Whatever can't be done is an error that names the field.
package plan
