package rabbitmq

import (
	"strconv"
	"sync"
)

// call is a call that waits for its reply.
type call struct {
	// correlation is unlike that of any other call of this bus, whatever the request's id: a late
	// reply to one call must not reach a later one of the same request.
	correlation string
	from        string      // the exchange that the reply has to come by
	reply       chan []byte // has room for the one reply that counts
	published   bool        // it may have been
}

// calls are the calls that wait.
type calls struct {
	mu      sync.Mutex
	last    uint64
	waiting map[string]*call
}

// begin notes a call whose reply is to come by that exchange.
func (c *calls) begin(from string) *call {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.last++
	one := &call{correlation: strconv.FormatUint(c.last, 36), from: from, reply: make(chan []byte, 1)}
	if c.waiting == nil {
		c.waiting = map[string]*call{}
	}
	c.waiting[one.correlation] = one
	return one
}

func (c *calls) end(one *call) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.waiting, one.correlation)
}

// answer hands over a reply. Where nobody waits for it, it was a second one or came too late. One
// that came by another exchange is not from those who were called.
func (c *calls) answer(from, correlation string, body []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if one := c.waiting[correlation]; one != nil && one.from == from {
		delete(c.waiting, correlation)
		one.reply <- body
	}
}
