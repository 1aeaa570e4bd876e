package sparksubmit

import _ "embed"

// Names in the objects of Access.
const (
	// Namespace is where applications run.
	Namespace = "spark"
	// DriverAccount is the service account that drivers run as.
	DriverAccount = "spark"

	submitterAccount = "submitter"
)

//go:embed access.yaml
var access []byte

// Access is what Spark needs on a cluster, and no more, as YAML documents: the
// namespace, the account that drivers run as, and the one that submits.
func Access() []byte { return access }
