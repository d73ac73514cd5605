package chaos

import (
	"fmt"
	"math/rand/v2"
	"time"
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
type Way string

// The directions.
const (
	In   Way = "in"
	Out  Way = "out"
	Both Way = "both"
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

// Plan returns the first steps of the campaign of that seed. It goes through the deck again and again,
// each time in another order, so that a short campaign has nearly everything in it, too.
func Plan(seed uint64, steps int) []Step {
	random := rand.New(rand.NewPCG(seed, seed))
	var plan []Step
	var deck []Fault
	draw := func() Fault {
		if len(deck) == 0 {
			deck = newDeck(random)
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
	return a.Part != b.Part && a.Peer != b.Part && b.Peer != a.Part && a.Kind != Fill && b.Kind != Fill
}

// newDeck returns all faults in random order: the kills of workers and databases, which must cost no
// request, most often.
func newDeck(random *rand.Rand) []Fault {
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
	random.Shuffle(len(deck), func(i, j int) { deck[i], deck[j] = deck[j], deck[i] })
	for i := range deck {
		f := &deck[i]
		way := []Way{In, Out, Both}[random.IntN(3)]
		f.Back, f.Nth = random.IntN(2) == 0, random.IntN(1000)
		f.For = time.Duration(500+random.IntN(4500)) * time.Millisecond
		switch {
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
