package source

import (
	"reflect"
	"strings"
	"testing"

	"muster.sh/muster/scheduler/gang"
)

func TestTopologyIsReadFromAnnotations(t *testing.T) {
	for name, c := range map[string]struct {
		annotations map[string]string
		want        gang.Topology
		err         string
	}{
		"none": {nil, gang.Topology{}, ""},
		"required": {map[string]string{"muster.sh/required-topology": "topology.kubernetes.io/zone"},
			gang.Topology{Levels: []string{"topology.kubernetes.io/zone"}, Required: true}, ""},
		"preferred": {map[string]string{"muster.sh/preferred-topology": "example.com/rack"},
			gang.Topology{Levels: []string{"example.com/rack"}}, ""},
		"preferred within required": {map[string]string{"muster.sh/required-topology": "zone", "muster.sh/preferred-topology": "rack"},
			gang.Topology{Levels: []string{"rack", "zone"}, Required: true}, ""},
		"no label": {map[string]string{"muster.sh/required-topology": "one rack"}, gang.Topology{},
			`the annotation muster.sh/required-topology="one rack" is not the key of a node label`},
		"empty": {map[string]string{"muster.sh/preferred-topology": ""}, gang.Topology{}, "muster.sh/preferred-topology"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := topology(c.annotations)
			if c.err != "" {
				if err == nil || !strings.Contains(err.Error(), c.err) {
					t.Errorf("error %v, want %q", err, c.err)
				}
				return
			}
			if err != nil || !reflect.DeepEqual(got, c.want) {
				t.Errorf("%+v, %v, want %+v", got, err, c.want)
			}
		})
	}
}
