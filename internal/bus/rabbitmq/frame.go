package rabbitmq

import (
	"encoding/binary"
	"errors"
	"time"
)

const (
	// frameType is the type of a message that carries several requests, or several replies. One that
	// carries a single one has no type, and is that one.
	frameType = "frame"
	// frameBytes is about how many bytes of requests or replies go into one message.
	frameBytes = 256 << 10
	// latest is the last time that is taken for one, in ms since 1970: some 285,000 years from now.
	latest = 1<<53 - 1
)

var errFrame = errors.New("bus: a message of several is cut short or damaged")

// part is a request or a reply on its way: what a message carries of it, or one part of a frame.
type part struct {
	correlation string // of the call
	body        []byte
	// Of requests alone:
	id, trace           string
	digest              string    // not in a frame: see digestHeader
	deadline, published time.Time // to the millisecond; zero where there is none
}

// size is about what it takes.
func (p *part) size() int {
	return len(p.correlation) + len(p.body) + len(p.id) + len(p.trace) + 16
}

// encodeFrame returns the body of a message that carries the parts.
func encodeFrame(parts []part) []byte {
	size := 0
	for i := range parts {
		size += parts[i].size()
	}
	b := make([]byte, 0, size)
	for i := range parts {
		p := &parts[i]
		b = appendBytes(b, p.correlation)
		b = appendBytes(b, p.id)
		b = appendBytes(b, p.trace)
		b = binary.AppendUvarint(b, millis(p.deadline))
		b = binary.AppendUvarint(b, millis(p.published))
		b = appendBytes(b, p.body)
	}
	return b
}

func appendBytes[T string | []byte](b []byte, s T) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

func millis(t time.Time) uint64 {
	if t.IsZero() {
		return 0
	}
	return uint64(t.UnixMilli())
}

// decodeFrame returns the parts that a message carries. Their bodies lie within it.
func decodeFrame(b []byte) ([]part, error) {
	var parts []part
	for r := (reader{rest: b}); len(r.rest) > 0; {
		p := part{correlation: string(r.bytes()), id: string(r.bytes()), trace: string(r.bytes())}
		p.deadline, p.published, p.body = r.time(), r.time(), r.bytes()
		if r.short {
			return nil, errFrame
		}
		parts = append(parts, p)
	}
	return parts, nil
}

// reader reads what encodeFrame appends.
type reader struct {
	rest  []byte
	short bool // there was less than was asked for
}

func (r *reader) number() uint64 {
	n, used := binary.Uvarint(r.rest)
	if used <= 0 {
		r.rest, r.short = nil, true
		return 0
	}
	r.rest = r.rest[used:]
	return n
}

func (r *reader) bytes() []byte {
	n := r.number()
	if n > uint64(len(r.rest)) {
		r.rest, r.short = nil, true
		return nil
	}
	out := r.rest[:n:n]
	r.rest = r.rest[n:]
	return out
}

func (r *reader) time() time.Time {
	switch ms := r.number(); {
	case ms == 0:
		return time.Time{}
	case ms > latest:
		r.rest, r.short = nil, true
		return time.Time{}
	default:
		return time.UnixMilli(int64(ms))
	}
}
