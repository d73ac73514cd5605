package amqp

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	amqp091 "github.com/rabbitmq/amqp091-go"
)

const (
	// dialPace is how long one address has before the next is tried beside it. The name of a dead
	// container may take seconds to fail.
	dialPace = 250 * time.Millisecond
	// setupPace is how long the set-up on a new connection has before another address is tried
	// beside it: a node without a majority accepts connections, and answers nothing more.
	setupPace = time.Second
	// lastPace is how long all of several nodes have after the last of them was connected to. Then all are
	// tried once more, beside what is under way: those that failed may have come back meanwhile, and
	// those that are slow may be slow because the machine is.
	lastPace = 2 * time.Second
	// avoidFor is how long an address that was given up comes after the others.
	avoidFor = 30 * time.Second
)

// Broker dials the nodes of a broker, and remembers which of them were given up.
type Broker struct {
	o     Options
	nodes []string // URLs

	mu      sync.Mutex
	givenUp map[string]doubt // by node
}

// doubt is why a node comes after the others.
type doubt struct {
	since time.Time
	// firm: a user of the node found that it does not do what it should. That it confirms messages does not
	// speak against that: what it lacks may be those of another queue.
	firm bool
}

// NewBroker returns a Broker. It dials nothing. An error means that the options are wrong.
func NewBroker(o Options) (*Broker, error) {
	o = o.withDefaults()
	nodes, err := o.addresses()
	if err != nil {
		return nil, err
	}
	return &Broker{o: o, nodes: nodes, givenUp: map[string]doubt{}}, nil
}

// AnswerTimeout returns how long a node may take to answer before it is given up.
func (b *Broker) AnswerTimeout() time.Duration { return b.o.AnswerTimeout }

// Clustered reports whether there are several nodes.
func (b *Broker) Clustered() bool { return len(b.nodes) > 1 }

// giveUp makes a node come after the others for a while, or until it confirms a message.
func (b *Broker) giveUp(node string) { b.doubt(node, false) }

func (b *Broker) doubt(node string, firm bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	before := b.givenUp[node]
	b.givenUp[node] = doubt{since: time.Now(), firm: firm || before.firm && time.Since(before.since) < avoidFor}
}

// proved takes back that a node was given up, unless its users did so: it has just confirmed a message.
func (b *Broker) proved(node string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.givenUp[node].firm {
		delete(b.givenUp, node)
	}
}

// order returns the nodes in the order in which to try them: at random, so that clients spread, but
// those that were given up last come last.
func (b *Broker) order() []string {
	nodes := slices.Clone(b.nodes)
	rand.Shuffle(len(nodes), func(i, j int) { nodes[i], nodes[j] = nodes[j], nodes[i] })
	b.mu.Lock()
	defer b.mu.Unlock()
	for node, d := range b.givenUp {
		if time.Since(d.since) > avoidFor {
			delete(b.givenUp, node)
		}
	}
	slices.SortStableFunc(nodes, func(x, y string) int { return b.givenUp[x].since.Compare(b.givenUp[y].since) })
	return nodes
}

// Dialer makes connections to one node.
type Dialer func(context.Context) (*Conn, error)

// Connect makes what setup makes of connections to a node. It tries all nodes, beginning with the
// next one when a node fails or takes long, and returns what is ready first. The others are
// dropped by drop. It returns an error when all nodes have failed, or ctx ends. It waits for all that it
// began: ctx must bound it. setup must end with its context, and must close what it has dialled when it
// fails.
func Connect[T any](ctx context.Context, b *Broker, setup func(context.Context, Dialer) (T, error), drop func(T)) (T, error) {
	type result struct {
		node string
		made T
		err  error
	}
	var none T
	var under []string // nodes under way, in the order in which they were begun
	nodes := b.order()
	results := make(chan result)
	connected := make(chan struct{})
	trying, cancel := context.WithCancel(ctx)
	defer func() {
		cancel()
		for range under {
			if late := <-results; late.err == nil {
				drop(late.made)
			}
		}
	}()
	pace := time.NewTimer(0)
	defer pace.Stop()
	var faults []error
	for {
		select {
		case <-pace.C:
			if len(nodes) == 0 && b.Clustered() {
				for _, node := range under {
					b.giveUp(node)
				}
				nodes = b.order()
			}
			if len(nodes) == 0 {
				continue
			}
			node := nodes[0]
			nodes = nodes[1:]
			under = append(under, node)
			go func() {
				made, err := setup(trying, func(ctx context.Context) (*Conn, error) {
					conn, err := b.dial(ctx, node)
					if err == nil {
						select {
						case connected <- struct{}{}:
						case <-trying.Done():
						}
					}
					return conn, err
				})
				results <- result{node, made, err}
			}()
			pace.Reset(paceAfter(dialPace, nodes))
		case <-connected:
			pace.Reset(paceAfter(setupPace, nodes))
		case r := <-results:
			i := slices.Index(under, r.node)
			if r.err == nil {
				for _, slower := range under[:i] {
					b.giveUp(slower)
				}
				under = slices.Delete(under, i, i+1)
				return r.made, nil
			}
			under = slices.Delete(under, i, i+1)
			faults = append(faults, r.err)
			if ctx.Err() != nil {
				return none, errors.Join(append(faults, ctx.Err())...)
			}
			if refusal := new(amqp091.Error); !errors.As(r.err, &refusal) || !refusal.Server {
				b.giveUp(r.node) // one that refuses may be the first to have what is missing
			}
			if len(under) == 0 && len(nodes) == 0 {
				return none, errors.Join(faults...)
			}
			if len(nodes) > 0 {
				pace.Reset(0)
			}
		}
	}
}

// paceAfter returns how long to wait before the next of the nodes is tried: the pace, or longer where
// none is left.
func paceAfter(pace time.Duration, nodes []string) time.Duration {
	if len(nodes) == 0 {
		return lastPace
	}
	return pace
}
