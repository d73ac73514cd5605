package chaos

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"rideshare/e2e/netcut"
)

// Part is what a fault happens to. Slave is any of them.
type Part string

// The parts of the system in containers.
const (
	Master         Part = "master"
	Slave          Part = "slave"
	MasterDatabase Part = "master's database"
	SlaveDatabase  Part = "slave's database"
	RabbitMQ       Part = "rabbitmq"
	ZooKeeper      Part = "zookeeper"
	Watcher        Part = "watcher"
	Orchestrator   Part = "orchestrator"
	Users          Part = "users"
	Rides          Part = "rides"
	Gateway        Part = "gateway"
)

// Parts of which `make up-ha` has three, and groups of them that a part is cut off from.
const (
	LogBroker     Part = "RabbitMQ that leads the log"
	WritesBroker  Part = "RabbitMQ that leads the writes"
	LeadingKeeper Part = "leading ZooKeeper"
	RabbitMQ2     Part = "rabbitmq2"
	RabbitMQ3     Part = "rabbitmq3"
	ZooKeeper2    Part = "zookeeper2"
	Watcher2      Part = "watcher2"
	Brokers       Part = "RabbitMQs"
	TwoBrokers    Part = "two RabbitMQs"
	Keepers       Part = "ZooKeepers"
	EachOther     Part = "each other" // of the RabbitMQs
	Everything    Part = "everything"
)

// ofPairs reports whether it is a worker or a database, which the watcher replaces.
func (p Part) ofPairs() bool {
	return p == Master || p == Slave || p == MasterDatabase || p == SlaveDatabase
}

// Kind is what happens to a part.
type Kind string

const (
	Kill  Kind = "kill"       // by signal 9; of a service: it is started again after For
	Pause Kind = "pause"      // frozen for For, then resumed
	Cut   Kind = "cut"        // what it sends to Peer, or Peer to it, or both, is dropped for For
	Slow  Kind = "slow disk"  // of a database: it does few writes a second, for For
	Fill  Kind = "full disk"  // a new slave gets a database on a small disk, which is filled for For
	Alarm Kind = "alarm"      // the broker is told that its memory is used up, for For
	Jump  Kind = "clock jump" // of a worker's clock by 6 hours, back after For
)

// Way is the direction that is cut, seen from the part.
type Way = netcut.Way

// The directions.
const (
	In   = netcut.In
	Out  = netcut.Out
	Both = netcut.Both
)

// Fault is one thing that happens to one part.
type Fault struct {
	Kind Kind
	Part Part
	Peer Part // of a cut
	Way  Way  // of a cut
	Back bool // of a clock jump: into the past
	Nth  int  // chooses among the slaves
	For  time.Duration
}

func (f Fault) String() string {
	what := fmt.Sprintf("%s of the %s", f.Kind, f.Part)
	if f.Kind == Cut {
		what = fmt.Sprintf("%s from the %s (%s)", what, f.Peer, f.Way)
	}
	if f.Kind == Jump && f.Back {
		what += " back"
	}
	if f.For == 0 {
		return what
	}
	return fmt.Sprintf("%s for %v", what, f.For)
}

// Step is what happens at the same time: one fault or two.
type Step []Fault

// Plan returns the first steps of the campaign of that seed. With ha it is for `make up-ha`, and cuts
// its nodes off from each other, too. It goes through the deck again and again,
// each time in another order, so that a short campaign has nearly everything in it, too.
func Plan(seed uint64, steps int, ha bool) []Step {
	random := rand.New(rand.NewPCG(seed, seed))
	var plan []Step
	var deck []Fault
	draw := func() Fault {
		if len(deck) == 0 {
			deck = newDeck(random, ha)
		}
		f := deck[0]
		deck = deck[1:]
		return f
	}
	for len(plan) < steps {
		step := Step{draw()}
		two := random.IntN(3) == 0 // drawn in any case
		if two && len(deck) > 0 && compatible(step[0], deck[0]) {
			step = append(step, draw())
		}
		plan = append(plan, step)
	}
	return plan
}

// compatible reports whether two faults can happen at once: to different parts, and a part that is
// cut off has to be there.
func compatible(a, b Fault) bool {
	if a.ofNodes() || b.ofNodes() {
		return false // which part it is shows only then, and a majority has to be left
	}
	return a.Part != b.Part && a.Peer != b.Part && b.Peer != a.Part && a.Kind != Fill && b.Kind != Fill
}

// ofNodes reports whether the fault takes away one of three nodes, or cuts it off.
func (f Fault) ofNodes() bool {
	return slices.Contains([]Part{LogBroker, WritesBroker, LeadingKeeper, RabbitMQ2, RabbitMQ3, ZooKeeper2, Brokers}, f.Part) ||
		slices.Contains([]Part{Brokers, TwoBrokers, Keepers, EachOther, Everything}, f.Peer)
}

// nodeFaults are the faults that only `make up-ha` can have. Each cut comes in all of its ways.
func nodeFaults() []Fault {
	faults := []Fault{
		{Kind: Cut, Part: Brokers, Peer: EachOther},
		{Kind: Cut, Part: WritesBroker, Peer: Everything},
		{Kind: Cut, Part: Master, Peer: TwoBrokers}, {Kind: Cut, Part: Master, Peer: Brokers},
		{Kind: Cut, Part: Master, Peer: Keepers}, {Kind: Cut, Part: Master, Peer: Everything},
		{Kind: Cut, Part: LeadingKeeper, Peer: Keepers},
		{Kind: Kill, Part: Watcher2},
	}
	for _, part := range []Part{RabbitMQ2, RabbitMQ3, ZooKeeper2} {
		faults = append(faults, Fault{Kind: Kill, Part: part}, Fault{Kind: Pause, Part: part})
	}
	for _, part := range []Part{LogBroker, WritesBroker, RabbitMQ3} {
		for _, way := range []Way{In, Out, Both} {
			faults = append(faults, Fault{Kind: Cut, Part: part, Peer: Brokers, Way: way})
		}
	}
	return faults
}

// newDeck returns all faults in random order: the kills of workers and databases, which must cost no
// request, most often.
func newDeck(random *rand.Rand, ha bool) []Fault {
	pairs := []Part{Master, Slave, MasterDatabase, SlaveDatabase}
	services := []Part{RabbitMQ, ZooKeeper, Watcher, Orchestrator, Users, Rides, Gateway}
	var deck []Fault
	for _, part := range pairs {
		deck = append(deck, Fault{Kind: Kill, Part: part}, Fault{Kind: Kill, Part: part}, Fault{Kind: Pause, Part: part})
	}
	for _, part := range services {
		deck = append(deck, Fault{Kind: Kill, Part: part}, Fault{Kind: Pause, Part: part})
	}
	for _, peer := range []Part{RabbitMQ, ZooKeeper} {
		for _, part := range []Part{Master, Slave} {
			deck = append(deck, Fault{Kind: Cut, Part: part, Peer: peer})
		}
	}
	deck = append(deck,
		Fault{Kind: Cut, Part: Master, Peer: MasterDatabase}, Fault{Kind: Cut, Part: Slave, Peer: SlaveDatabase},
		Fault{Kind: Cut, Part: Orchestrator, Peer: RabbitMQ}, Fault{Kind: Cut, Part: Watcher, Peer: ZooKeeper},
		Fault{Kind: Cut, Part: Gateway, Peer: Rides}, Fault{Kind: Cut, Part: Gateway, Peer: Users},
		Fault{Kind: Cut, Part: Rides, Peer: Orchestrator}, Fault{Kind: Cut, Part: Users, Peer: Orchestrator},
		Fault{Kind: Slow, Part: MasterDatabase}, Fault{Kind: Slow, Part: SlaveDatabase},
		Fault{Kind: Fill, Part: SlaveDatabase}, Fault{Kind: Alarm, Part: RabbitMQ},
		Fault{Kind: Jump, Part: Master}, Fault{Kind: Jump, Part: Slave})
	if ha {
		deck = append(deck, nodeFaults()...)
	}
	random.Shuffle(len(deck), func(i, j int) { deck[i], deck[j] = deck[j], deck[i] })
	for i := range deck {
		f := &deck[i]
		way := []Way{In, Out, Both}[random.IntN(3)]
		f.Back, f.Nth = random.IntN(2) == 0, random.IntN(1000)
		f.For = time.Duration(500+random.IntN(4500)) * time.Millisecond
		switch {
		case f.Kind == Cut && f.ofNodes():
			f.For *= 4 // longer than it takes the others to notice, often
			if f.Way == "" {
				f.Way = Both
			}
		case f.Kind == Cut:
			f.Way = way
		case f.Kind == Kill && f.Part.ofPairs():
			f.For = 0 // the watcher's business
		case f.Kind == Kill:
			f.For /= 2
		case f.Kind == Fill:
			f.For *= 2 // a database notices when its files have to grow
		}
	}
	return deck
}
