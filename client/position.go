package client

import (
	"strconv"
	"strings"
)

// consistencyToken is the header that carries a position both ways.
const consistencyToken = "Consistency-Token"

// position is a Consistency-Token: "epoch.seq", of which seq alone orders.
type position struct {
	text string
	seq  uint64
}

// parsePosition returns nil for what is none: a client takes no offence at the header of a gateway.
func parsePosition(text string) *position {
	_, seq, ok := strings.Cut(text, ".")
	n, err := strconv.ParseUint(seq, 10, 64)
	if !ok || err != nil || n == 0 {
		return nil
	}
	return &position{text, n}
}

// see remembers the position if it is newer than what is remembered.
func (c *Client) see(p *position) {
	for p != nil {
		old := c.newest.Load()
		if old != nil && old.seq >= p.seq || c.newest.CompareAndSwap(old, p) {
			return
		}
	}
}
