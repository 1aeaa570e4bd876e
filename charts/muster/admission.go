package chart

import (
	"bytes"
	"embed"
	"fmt"

	admission "k8s.io/api/admissionregistration/v1"
	"k8s.io/utils/ptr"
)

//go:embed files/admission/*.yaml
var admissionFiles embed.FS

// Admission has the API server refuse objects: by what rules, and that they are heeded.
type Admission struct {
	Policy  *admission.ValidatingAdmissionPolicy
	Binding *admission.ValidatingAdmissionPolicyBinding
}

// JobAdmissions say what the API server refuses of the jobs that muster-operators runs.
func JobAdmissions() []Admission {
	const dir = "files/admission"
	entries, err := admissionFiles.ReadDir(dir)
	if err != nil {
		panic(fmt.Sprintf("chart: an embedded folder is not there: %v", err))
	}
	var all []Admission
	for _, entry := range entries {
		data, err := admissionFiles.ReadFile(dir + "/" + entry.Name())
		if err != nil {
			panic(fmt.Sprintf("chart: an embedded file is not there: %v", err))
		}
		policy, binding, _ := bytes.Cut(data, []byte("\n---\n"))
		all = append(all, Admission{
			Policy:  ptr.To(parse[admission.ValidatingAdmissionPolicy](policy)),
			Binding: ptr.To(parse[admission.ValidatingAdmissionPolicyBinding](binding)),
		})
	}
	return all
}
