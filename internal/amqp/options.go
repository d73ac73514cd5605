// Package amqp connects to RabbitMQ for those who speak to it: internal/bus/rabbitmq and
// internal/replog/rabbitmq. It adds to the client library what the library leaves to its users:
// several addresses, deadlines on everything that can wait, a connection that can be dropped
// without asking the broker, and word of a blocked one.
//
// The library's own recovery is not used: it subscribes again at the original offset of a stream,
// and it knows nothing of the calls that wait. A connection here ends once, and its owner makes
// another one.
package amqp

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	amqp091 "github.com/rabbitmq/amqp091-go"
)

// Options say how to connect.
type Options struct {
	// URL is amqp://user:password@host:port/vhost, where host:port may be a list with commas
	// between: the nodes of a cluster, any of which will do.
	URL string
	// Name is what the broker's operator sees of the connection.
	Name string
	// Heartbeat is after how long a silent peer is asked for a sign of life: a dead or paused one
	// is noticed after 1.5 times that here, after 2 to 3 times on the other side. Whole seconds,
	// at least 1; the smaller of this and the broker's counts. 10 s where 0.
	Heartbeat time.Duration
	// DialTimeout is for one address, until the connection can be used. 2 s where 0.
	DialTimeout time.Duration
	// WriteTimeout is how long one write to the socket may take before the connection counts as
	// lost. A broker that is paused, or blocks publishers, does not read. 2 s where 0.
	WriteTimeout time.Duration
	// AnswerTimeout is how long a node may take to confirm a message, on a connection that lives,
	// before the node is given up: after a partition between the nodes of a cluster a confirm may
	// never come. 3 heartbeats where 0.
	AnswerTimeout time.Duration
	// Monitor is told what becomes of connections; nil: nobody is.
	Monitor Monitor
	// Dial makes the network connection; the net package's where nil.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)
}

// Monitor is told what becomes of connections. It must not wait.
type Monitor interface {
	Connected() // a connection can be used
	Failed()    // an attempt to connect to one of the addresses failed
	Ended()     // a connection has ended, on purpose or not
}

type unmonitored struct{}

func (unmonitored) Connected() {}
func (unmonitored) Failed()    {}
func (unmonitored) Ended()     {}

func (o Options) withDefaults() Options {
	o.Heartbeat = max(cmp.Or(o.Heartbeat, 10*time.Second), time.Second)
	o.DialTimeout = cmp.Or(o.DialTimeout, 2*time.Second)
	o.AnswerTimeout = cmp.Or(o.AnswerTimeout, answerHeartbeats*o.Heartbeat)
	o.WriteTimeout = cmp.Or(o.WriteTimeout, 2*time.Second)
	if o.Monitor == nil {
		o.Monitor = unmonitored{}
	}
	if o.Dial == nil {
		o.Dial = new(net.Dialer).DialContext
	}
	return o
}

// answerHeartbeats is how many heartbeats a node may take to answer: as many as a peer may miss
// before its connection counts as lost.
const answerHeartbeats = 3

// CheckVariable returns what is wrong with the URL that a variable of this name holds. The error
// does not hold the password.
func CheckVariable(name, url string) error {
	if _, err := (Options{URL: url}).addresses(); err != nil {
		return fmt.Errorf("%s has a wrong value, which is not shown: it must be amqp://user:password@host:port/, several hosts with commas between: %w", name, err)
	}
	return nil
}

// addresses returns a URL for each address.
func (o Options) addresses() ([]string, error) {
	scheme, rest, ok := strings.Cut(o.URL, "://")
	if !ok || scheme != "amqp" {
		return nil, errors.New("amqp: the URL does not begin with amqp://")
	}
	authority, path := rest, ""
	if i := strings.IndexAny(rest, "/?"); i >= 0 {
		authority, path = rest[:i], rest[i:]
	}
	user, hosts := "", authority
	if i := strings.LastIndexByte(authority, '@'); i >= 0 {
		user, hosts = authority[:i+1], authority[i+1:]
	}
	var urls []string
	for host := range strings.SplitSeq(hosts, ",") {
		url := scheme + "://" + user + strings.TrimSpace(host) + path
		if _, err := amqp091.ParseURI(url); err != nil || strings.TrimSpace(host) == "" {
			// The error of ParseURI quotes the URL, and with it the password.
			return nil, fmt.Errorf("amqp: cannot understand the URL, at address %q", host)
		}
		urls = append(urls, url)
	}
	return urls, nil
}
