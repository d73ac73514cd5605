package rabbitmq

import (
	"strconv"
	"sync"
	"time"
)

// call is a call that waits for its reply.
type call struct {
	// correlation is unlike that of any other call of this bus, whatever the request's id: a late
	// reply to one call must not reach a later one of the same request.
	correlation string
	from        string      // the exchange that the reply has to come by
	reply       chan []byte // has room for the one reply that counts
	published   bool        // it may have been
	since       time.Time   // when it was published first; guarded by calls
}

// calls are the calls that wait.
type calls struct {
	mu      sync.Mutex
	last    uint64
	replies uint64 // that somebody waited for
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

// publish notes that a call may have been published.
func (c *calls) publish(one *call) {
	if one.published {
		return
	}
	one.published = true
	c.mu.Lock()
	defer c.mu.Unlock()
	one.since = time.Now()
}

// answered returns how many calls have had their reply.
func (c *calls) answered() uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.replies
}

// waitingSince reports whether a call that was published before t waits for its reply.
func (c *calls) waitingSince(t time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, one := range c.waiting {
		if !one.since.IsZero() && one.since.Before(t) {
			return true
		}
	}
	return false
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
		c.replies++
		one.reply <- body
	}
}
