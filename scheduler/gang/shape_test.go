package gang_test

import (
	"testing"

	"muster.sh/muster/scheduler/gang"
	"muster.sh/muster/scheduler/gang/gangtest"
)

func TestRequirementsMeanWhatTheyMeanToKubernetes(t *testing.T) {
	labels := map[string]string{"zone": "a", "cores": "32", "empty": "", "word": "many"}
	for name, c := range map[string]struct {
		r    gang.Requirement
		want bool
	}{
		"In with the value":                    {gang.Requirement{Key: "zone", Operator: gang.In, Values: []string{"b", "a"}}, true},
		"In without the value":                 {gang.Requirement{Key: "zone", Operator: gang.In, Values: []string{"b"}}, false},
		"In without the label":                 {gang.Requirement{Key: "rack", Operator: gang.In, Values: []string{""}}, false},
		"In of an empty value":                 {gang.Requirement{Key: "empty", Operator: gang.In, Values: []string{""}}, true},
		"NotIn with the value":                 {gang.Requirement{Key: "zone", Operator: gang.NotIn, Values: []string{"a"}}, false},
		"NotIn without the value":              {gang.Requirement{Key: "zone", Operator: gang.NotIn, Values: []string{"b"}}, true},
		"NotIn without the label":              {gang.Requirement{Key: "rack", Operator: gang.NotIn, Values: []string{"a"}}, true},
		"Exists with the label":                {gang.Requirement{Key: "empty", Operator: gang.Exists}, true},
		"Exists without the label":             {gang.Requirement{Key: "rack", Operator: gang.Exists}, false},
		"DoesNotExist with the label":          {gang.Requirement{Key: "zone", Operator: gang.DoesNotExist}, false},
		"DoesNotExist without the label":       {gang.Requirement{Key: "rack", Operator: gang.DoesNotExist}, true},
		"Gt of a smaller bound":                {gang.Requirement{Key: "cores", Operator: gang.Gt, Values: []string{"31"}}, true},
		"Gt of the same":                       {gang.Requirement{Key: "cores", Operator: gang.Gt, Values: []string{"32"}}, false},
		"Lt of a larger bound":                 {gang.Requirement{Key: "cores", Operator: gang.Lt, Values: []string{"33"}}, true},
		"Lt of the same":                       {gang.Requirement{Key: "cores", Operator: gang.Lt, Values: []string{"32"}}, false},
		"Gt of a label that is no number":      {gang.Requirement{Key: "word", Operator: gang.Gt, Values: []string{"1"}}, false},
		"Lt of a bound that is no number":      {gang.Requirement{Key: "cores", Operator: gang.Lt, Values: []string{"many"}}, false},
		"Gt without the label":                 {gang.Requirement{Key: "rack", Operator: gang.Gt, Values: []string{"1"}}, false},
		"Gt of two bounds":                     {gang.Requirement{Key: "cores", Operator: gang.Gt, Values: []string{"1", "2"}}, false},
		"an operator that nobody knows":        {gang.Requirement{Key: "zone", Operator: "Like", Values: []string{"a"}}, false},
		"the node's name":                      {gang.Requirement{Key: "metadata.name", Field: true, Operator: gang.In, Values: []string{"n1"}}, true},
		"another node's name":                  {gang.Requirement{Key: "metadata.name", Field: true, Operator: gang.In, Values: []string{"n2"}}, false},
		"not this node":                        {gang.Requirement{Key: "metadata.name", Field: true, Operator: gang.NotIn, Values: []string{"n1"}}, false},
		"a label is no field of the same name": {gang.Requirement{Key: "zone", Field: true, Operator: gang.In, Values: []string{"a"}}, false},
		"a field is no label of the same name": {gang.Requirement{Key: "metadata.name", Operator: gang.Exists}, false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := c.r.Meets("n1", labels); got != c.want {
				t.Errorf("%+v is met: %t", c.r, got)
			}
		})
	}
}

func TestAShapeAdmitsNodesOfAnyOfItsAlternatives(t *testing.T) {
	inZone := func(z string) gang.Requirement {
		return gang.Requirement{Key: "zone", Operator: gang.In, Values: []string{z}}
	}
	fast := gang.Requirement{Key: "fast", Operator: gang.Exists}
	for name, c := range map[string]struct {
		affinity []gang.Term
		labels   map[string]string
		want     bool
	}{
		"any node without alternatives":               {nil, nil, true},
		"every requirement of one":                    {[]gang.Term{{inZone("a"), fast}}, map[string]string{"zone": "a", "fast": ""}, true},
		"not only one requirement of one":             {[]gang.Term{{inZone("a"), fast}}, map[string]string{"zone": "a"}, false},
		"the second":                                  {[]gang.Term{{inZone("a"), fast}, {inZone("b")}}, map[string]string{"zone": "b"}, true},
		"not one requirement of each":                 {[]gang.Term{{inZone("a"), fast}, {inZone("b"), fast}}, map[string]string{"fast": ""}, false},
		"none where alternatives exist and none fits": {[]gang.Term{{fast}}, nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			s := gang.Shape{Affinity: c.affinity}
			if got := s.Admits("n1", c.labels); got != c.want {
				t.Errorf("admits: %t", got)
			}
		})
	}
}

func TestTolerationsMeanWhatTheyMeanToKubernetes(t *testing.T) {
	taint := gang.Taint{Key: "gpu", Value: "a100", Effect: gang.NoSchedule}
	for name, c := range map[string]struct {
		tolerations []gang.Toleration
		want        bool
	}{
		"none":                           {nil, false},
		"the same key, value and effect": {[]gang.Toleration{{Key: "gpu", Value: "a100", Effect: gang.NoSchedule}}, true},
		"every effect":                   {[]gang.Toleration{{Key: "gpu", Value: "a100"}}, true},
		"another effect":                 {[]gang.Toleration{{Key: "gpu", Value: "a100", Effect: gang.NoExecute}}, false},
		"any value":                      {[]gang.Toleration{{Key: "gpu", AnyValue: true}}, true},
		"another value":                  {[]gang.Toleration{{Key: "gpu", Value: "h100"}}, false},
		"no value":                       {[]gang.Toleration{{Key: "gpu"}}, false},
		"another key":                    {[]gang.Toleration{{Key: "fpga", AnyValue: true}}, false},
		"every key":                      {[]gang.Toleration{{AnyValue: true}}, true},
		"no key, and a value":            {[]gang.Toleration{{Value: "a100"}}, false},
		"the second of two":              {[]gang.Toleration{{Key: "fpga", AnyValue: true}, {Key: "gpu", AnyValue: true}}, true},
	} {
		t.Run(name, func(t *testing.T) {
			s := gang.Shape{Tolerations: c.tolerations}
			if got := s.Tolerates(taint); got != c.want {
				t.Errorf("tolerates: %t", got)
			}
		})
	}
}

func TestSignaturesTellShapesApart(t *testing.T) {
	a := gangtest.Shape(1, 1)
	if b := gangtest.Shape(1, 1); a.Signature() != b.Signature() {
		t.Error("equal shapes have different signatures")
	}
	seen := map[string]string{a.Signature(): "the plain one"}
	for name, change := range map[string]func(*gang.Shape){
		"another request":    func(s *gang.Shape) { s.Request.MilliCPU++ },
		"an extra resource":  func(s *gang.Shape) { s.Request = s.Request.With("nvidia.com/gpu", 1) },
		"an affinity":        func(s *gang.Shape) { s.Affinity = []gang.Term{{{Key: "zone", Operator: gang.Exists}}} },
		"a field":            func(s *gang.Shape) { s.Affinity = []gang.Term{{{Key: "zone", Operator: gang.Exists, Field: true}}} },
		"a toleration":       func(s *gang.Shape) { s.Tolerations = []gang.Toleration{{Key: "gpu", AnyValue: true}} },
		"a host port":        func(s *gang.Shape) { s.HostPorts = []string{"TCP//80"} },
		"hidden constraints": func(s *gang.Shape) { s.Opaque = true },
	} {
		s := gangtest.Shape(1, 1)
		change(&s)
		if other, twice := seen[s.Signature()]; twice {
			t.Errorf("%s has the signature of %s", name, other)
		}
		seen[s.Signature()] = name
	}
}

func TestAMemberMayTakeRoomThatWasHeldForALargerOne(t *testing.T) {
	port := func(s gang.Shape, ports ...string) gang.Shape { s.HostPorts = ports; return s }
	small, large := gangtest.Shape(1, 2), gangtest.Shape(2, 2)
	for name, c := range map[string]struct {
		member, held gang.Shape
		want         bool
	}{
		"of the same size":           {small, small, true},
		"of a larger one":            {small, large, true},
		"of a smaller one":           {large, small, false},
		"with a port it has no need": {small, port(large, "80"), true},
		"with its port":              {port(small, "80"), port(large, "79", "80"), true},
		"without its port":           {port(small, "80"), large, false},
	} {
		if got := c.member.Covers(&c.held); got != c.want {
			t.Errorf("room %s: %t", name, got)
		}
	}
}
