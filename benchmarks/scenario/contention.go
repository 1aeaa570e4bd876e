package scenario

import (
	"fmt"
	"slices"
	"time"
)

// Priorities are the PriorityClasses of scenarios of contention, with their values.
var Priorities = map[string]int32{"low": 100, "middle": 200, "high": 300}

// contest is what gangs do to each other on a full cluster.
type contest struct {
	name, about string
	// seconds is for how long it is measured how full the cluster is.
	seconds  int
	arrivals func(room int) []Arrival
	tenants  []string
}

var contests = []contest{
	{
		"large", "a gang of two fifths of the cluster among a stream of small ones that keep it 70 % full",
		90, largeAmongSmall, nil,
	},
	{
		"tiers", "three tiers of priority five seconds apart, each with gangs for 60 % of the cluster",
		60, threeTiers, nil,
	},
	{
		"tenants", "a tenant that has borrowed all of the cluster, and one that comes for the half that is its own",
		60, twoTenants, []string{"borrower", "owner"},
	},
}

const contentionPrefix = "contention/"

// contention are the scenarios of contention.
func contention() []Scenario {
	var all []Scenario
	for _, c := range contests {
		all = append(all, Scenario{Name: contentionPrefix + c.name, Mode: Contention, Nodes: 20, Seconds: c.seconds})
	}
	return all
}

// contested finds what a scenario of contention is made of.
func (s Scenario) contested() contest {
	i := slices.IndexFunc(contests, func(c contest) bool { return contentionPrefix+c.name == s.Name })
	if i < 0 {
		return contest{seconds: 1, arrivals: func(int) []Arrival { return nil }}
	}
	return contests[i]
}

// contending are the gangs of a scenario of contention. In one of fewer Seconds all goes
// faster.
func (s Scenario) contending() []Arrival {
	c := s.contested()
	all := c.arrivals(s.Nodes * nodeCPUs)
	for i := range all {
		for _, d := range []*time.Duration{&all[i].At, &all[i].Runs} {
			*d = *d * time.Duration(s.Seconds) / time.Duration(c.seconds)
		}
	}
	return all
}

// Tenants are those who share the cluster in equal parts; none: nobody has a queue.
func (s Scenario) Tenants() []string { return s.contested().tenants }

// largeAmongSmall fills 70 % of the room with gangs of four, of which one ends whenever
// the next comes. The room is in pods, of one CPU each.
func largeAmongSmall(room int) []Arrival {
	const size, runs, stream = 4, 20 * time.Second, 90 * time.Second
	small := max(room*7/10/size, 1)
	every := runs / time.Duration(small)
	var all []Arrival
	for i := range small {
		all = append(all, Arrival{Name: fmt.Sprintf("first-%04d", i), Size: size, Runs: every * time.Duration(i+1)})
	}
	const comes = 15 * time.Second
	large := Arrival{At: comes, Name: "large", Size: room * 2 / 5, Runs: runs, Awaited: true}
	for i := 1; every*time.Duration(i) <= stream; i++ {
		at := every * time.Duration(i)
		if at > comes && all[len(all)-1].At <= comes {
			all = append(all, large)
		}
		all = append(all, Arrival{At: at, Name: fmt.Sprintf("small-%04d", i), Size: size, Runs: runs})
	}
	return all
}

// threeTiers has the lowest priority come first.
func threeTiers(room int) []Arrival {
	var all []Arrival
	for i, tier := range []string{"low", "middle", "high"} {
		all = append(all, wave(room*6/10, Arrival{
			At: time.Duration(i) * 5 * time.Second, Name: tier, Runs: 30 * time.Second, Priority: tier, Awaited: tier == "high",
		})...)
	}
	return all
}

// twoTenants has one fill the cluster and wait for more, and then the other come.
func twoTenants(room int) []Arrival {
	return append(
		wave(room*5/4, Arrival{Name: "borrower", Tenant: "borrower", Runs: time.Minute}),
		wave(room/2, Arrival{At: 10 * time.Second, Name: "owner", Tenant: "owner", Runs: 30 * time.Second, Awaited: true})...)
}

// wave is as many gangs of eight as have that many pods, all like one.
func wave(pods int, like Arrival) []Arrival {
	const size = 8
	var all []Arrival
	for i := range max(pods/size, 1) {
		a := like
		a.Name, a.Size = fmt.Sprintf("%s-%04d", like.Name, i), size
		all = append(all, a)
	}
	return all
}
