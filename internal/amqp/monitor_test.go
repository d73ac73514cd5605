package amqp_test

import (
	"sync/atomic"
	"testing"
	"time"

	"rideshare/internal/amqp"
	"rideshare/internal/amqp/amqptest"
)

// monitor counts what it is told.
type monitor struct{ connected, failed, ended atomic.Int32 }

func (m *monitor) Connected() { m.connected.Add(1) }
func (m *monitor) Failed()    { m.failed.Add(1) }
func (m *monitor) Ended()     { m.ended.Add(1) }

func (m *monitor) want(t *testing.T, connected, failed, ended int32) {
	t.Helper()
	if c, f, e := m.connected.Load(), m.failed.Load(), m.ended.Load(); c != connected || f != failed || e != ended {
		t.Errorf("%d connected, %d failed, %d ended; want %d, %d, %d", c, f, e, connected, failed, ended)
	}
}

func TestMonitorIsToldOfFailures(t *testing.T) {
	m := &monitor{}
	// Nobody listens on port 1 of the loopback addresses.
	b, err := amqp.NewBroker(amqp.Options{URL: "amqp://u:p@127.0.0.1:1,127.0.0.2:1/", Monitor: m})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := amqp.Dial(t.Context(), b); err == nil {
		t.Fatal("it is connected")
	}
	m.want(t, 0, 2, 0)
}

func TestMonitorIsToldOfConnections(t *testing.T) {
	broker := amqptest.Start(t)
	m := &monitor{}
	b, err := amqp.NewBroker(amqp.Options{URL: broker.Via(broker.Addr()), Monitor: m, DialTimeout: 30 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	c, err := amqp.Dial(t.Context(), b)
	if err != nil {
		t.Fatal(err)
	}
	m.want(t, 1, 0, 0)
	c.Close()
	m.want(t, 1, 0, 1)
}
