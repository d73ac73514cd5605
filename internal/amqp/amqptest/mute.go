package amqptest

import "encoding/binary"

// Frames and methods of the protocol, AMQP 0-9-1.
const (
	frameMethod = 1
	frameHeader = 2
	frameBody   = 3
	frameExtra  = 8 // bytes of a frame beside its payload

	classBasic   = 60
	methodReturn = 50
	methodGive   = 60 // deliver
	methodAck    = 80 // a confirm
)

// Mute drops what the broker sends of messages and confirms, while connections live and everything
// else is answered, until it is called with false.
func (p *Proxy) Mute(on bool) { p.muted.Store(on) }

// Dropped returns how many messages were dropped while the proxy was mute.
func (p *Proxy) Dropped() int { return int(p.dropped.Load()) }

// muter takes the frames apart that come from the broker, on one connection.
type muter struct {
	proxy    *Proxy
	pending  []byte          // the beginning of a frame
	dropping map[uint16]bool // channels: the content that follows belongs to a method that was dropped
}

// pass returns what of data, with what was pending before, may pass.
func (m *muter) pass(data []byte) []byte {
	m.pending = append(m.pending, data...)
	var out []byte
	for len(m.pending) >= frameExtra {
		size := int(binary.BigEndian.Uint32(m.pending[3:])) + frameExtra
		if len(m.pending) < size {
			break
		}
		frame := m.pending[:size]
		if !m.drops(frame) {
			out = append(out, frame...)
		}
		m.pending = m.pending[size:]
	}
	return out
}

func (m *muter) drops(frame []byte) bool {
	channel := binary.BigEndian.Uint16(frame[1:])
	switch frame[0] {
	case frameHeader, frameBody:
		return m.dropping[channel]
	case frameMethod:
		class, method := binary.BigEndian.Uint16(frame[7:]), binary.BigEndian.Uint16(frame[9:])
		content := class == classBasic && (method == methodGive || method == methodReturn)
		drop := m.proxy.muted.Load() && (content || class == classBasic && method == methodAck)
		m.dropping[channel] = drop && content
		if drop && content {
			m.proxy.dropped.Add(1)
		}
		return drop
	}
	return false
}
