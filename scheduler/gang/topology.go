package gang

// Topology says how near to each other, in the network, members are to run. The
// zero Topology asks for nothing.
type Topology struct {
	// Levels of the network, the nearest first: keys of node labels, or tiers of
	// HyperNodes. Members go together into one domain of the first level that has
	// room for all of them.
	Levels []string `json:"levels,omitempty"`
	// Required says that they wait where no level has. Otherwise they then go
	// anywhere.
	Required bool `json:"required,omitempty"`
}
