package amqp

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"time"

	amqp091 "github.com/rabbitmq/amqp091-go"
)

// dialPace is after how long without an answer the next address is tried beside the one before:
// a dead machine, or a name that nobody knows any more, takes longer to fail than a live one to
// answer.
const dialPace = 250 * time.Millisecond

// Dial connects to that of the addresses which answers first. It begins with a random one, and goes
// on to the next as soon as one has failed or keeps it waiting. Each has the time of DialTimeout,
// and all of them what ctx leaves.
func Dial(ctx context.Context, o Options) (*Conn, error) {
	o = o.withDefaults()
	urls, err := o.addresses()
	if err != nil {
		return nil, err
	}
	rand.Shuffle(len(urls), func(i, j int) { urls[i], urls[j] = urls[j], urls[i] })
	type result struct {
		conn *Conn
		err  error
	}
	results := make(chan result)
	under, cancel := context.WithCancel(ctx)
	waiting := 0
	defer func() {
		cancel()
		for ; waiting > 0; waiting-- {
			if late := <-results; late.conn != nil {
				late.conn.Close()
			}
		}
	}()
	var faults []error
	for {
		var pace <-chan time.Time
		if len(urls) > 0 {
			url := urls[0]
			urls = urls[1:]
			waiting++
			go func() {
				conn, err := dialOne(under, o, url)
				results <- result{conn, err}
			}()
			if len(urls) > 0 {
				pace = time.After(dialPace)
			}
		}
		select {
		case r := <-results:
			waiting--
			if r.err == nil {
				return r.conn, nil
			}
			faults = append(faults, r.err)
			if ctx.Err() != nil {
				return nil, errors.Join(append(faults, ctx.Err())...)
			}
			if waiting == 0 && len(urls) == 0 {
				return nil, errors.Join(faults...)
			}
		case <-pace:
		}
	}
}

func dialOne(ctx context.Context, o Options, url string) (*Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, o.DialTimeout)
	defer cancel()
	var s *socket
	interrupt := func() bool { return true }
	properties := amqp091.NewConnectionProperties()
	properties.SetClientConnectionName(o.Name)
	connection, err := amqp091.DialConfig(url, amqp091.Config{
		Heartbeat:  o.Heartbeat,
		Properties: properties,
		Dial: func(network, addr string) (net.Conn, error) {
			conn, err := o.Dial(ctx, network, addr)
			if err != nil {
				return nil, err
			}
			s = newSocket(conn, o.WriteTimeout)
			// The library's handshake waits as long as its socket does.
			interrupt = context.AfterFunc(ctx, func() { _ = conn.Close() })
			return s, nil
		},
	})
	if ended := !interrupt(); ended {
		err = errors.Join(ctx.Err(), err)
	}
	if err != nil {
		if s != nil {
			_ = s.Close() // the library leaves it open after some errors
		}
		if !errors.Is(ctx.Err(), context.Canceled) { // another address was faster
			o.Monitor.Failed()
		}
		return nil, fmt.Errorf("amqp: cannot connect: %w", err)
	}
	o.Monitor.Connected()
	return watch(connection, s, o.Monitor.Ended), nil
}
