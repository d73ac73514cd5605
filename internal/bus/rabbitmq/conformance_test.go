package rabbitmq_test

import (
	"sync"
	"testing"
	"time"

	"rideshare/internal/amqp"
	"rideshare/internal/amqp/amqptest"
	"rideshare/internal/bus"
	"rideshare/internal/bus/bustest"
	"rideshare/internal/bus/rabbitmq"
)

// noHeartbeat keeps a machine that stands still for a second or two from ending connections.
const noHeartbeat = 30 * time.Second

// conformance lets the clients of the suite come through a proxy: taking the broker away is cheap
// there. The tests beside this one do it to the broker itself.
//
// Where there is a limit of reads to try, each request is a message, as only messages are counted.
func conformance(t *testing.T, broker amqptest.Broker, replicated bool, readsLimit int) {
	gather, loose := 0, 10
	if readsLimit > 0 {
		gather = 1
	}
	if replicated {
		loose = 250 // the word that it is full has to reach the publisher's channel first
	}
	bustest.Run(t, bustest.Factory{
		Open: func(t *testing.T) bustest.Env {
			proxy := amqptest.NewProxy(t, broker.Addr())
			prefix := broker.Prefix(t, queues...)
			var processes sync.Map
			return bustest.Env{
				Connect: func() bus.Bus {
					process := new(amqptest.Process)
					b := newBus(t, rabbitmq.Options{
						Broker: amqp.Options{URL: broker.Via(proxy.Addr()), Dial: process.Dial, Heartbeat: noHeartbeat},
						Prefix: prefix, Reads: readsLimit, Gather: gather, Replicated: replicated,
					})
					processes.Store(b, process)
					if err := b.Warm(t.Context()); err != nil {
						t.Fatal(err)
					}
					if !replicated {
						if err := b.UseFirst(t.Context()); err != nil {
							t.Fatal(err)
						}
					}
					return b
				},
				Kill: func(b bus.Bus) {
					process, _ := processes.Load(b)
					process.(*amqptest.Process).Kill()
				},
				SetAvailable: proxy.SetUp,
				DeadLetters:  func() int { return broker.Messages(t, prefix+"writes.dead") },
			}
		},
		Features: bustest.Features{
			Settle: 100 * time.Millisecond, ReadsLimit: readsLimit, LooseLimit: loose, LooseReturns: true,
		},
	})
}
