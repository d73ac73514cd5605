// Package memory is the log of the one-process mode and of tests: it lives and dies with the
// process. Its options let it misbehave as a broker does.
package memory

import (
	"context"
	"fmt"
	"sync"

	"rideshare/internal/replog"
)

// DefaultMaxBytes is how much a log keeps before it drops its oldest records.
const DefaultMaxBytes = 32 << 20

// Fate is what becomes of an append.
type Fate int

const (
	Kept      Fate = iota // appended and confirmed
	Failed                // not appended; the appender is told ErrUnavailable
	Unknown               // appended; the appender is told ErrUnavailable
	Late                  // appended by Log.Deliver; the appender is told ErrUnavailable
	Confirmed             // appended by Log.Deliver; the appender is told that it was
	Twice                 // appended twice and confirmed
)

// Options are the options of a log.
type Options struct {
	MaxBytes int                    // 0: DefaultMaxBytes
	Fate     func(data []byte) Fate // nil: every append is Kept
}

// Log is the log itself. Connect gives a connection to it.
type Log struct {
	options Options

	mu      sync.Mutex
	first   replog.Offset // of records[0]
	records [][]byte
	bytes   int
	late    [][]byte
	down    bool
	wiped   int           // how often: a reader does not outlive it
	cut     int           // how often it lost its end: likewise
	changed chan struct{} // closed and replaced when anything changes
}

// New returns an empty log.
func New(o Options) *Log {
	if o.MaxBytes == 0 {
		o.MaxBytes = DefaultMaxBytes
	}
	return &Log{options: o, changed: make(chan struct{})}
}

// Connect returns a connection.
func (l *Log) Connect() *Conn { return &Conn{log: l, closed: make(chan struct{})} }

// Deliver appends what arrives late.
func (l *Log) Deliver() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, data := range l.late {
		l.append(data)
	}
	l.late = nil
	l.wake()
}

// SetAvailable takes the log down and up again. While it is down, appends and reads fail.
func (l *Log) SetAvailable(up bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.down = !up
	l.wake()
}

// Wipe loses all records, as a broker does with its volume.
func (l *Log) Wipe() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.first, l.records, l.bytes = 0, nil, 0
	l.wiped++
	l.wake()
}

// Shorten loses the newest records, and what arrives late, as a broker does that loses power before they are on its
// disk. Readers are detached.
func (l *Log) Shorten(records int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for range min(records, len(l.records)) {
		last := len(l.records) - 1
		l.bytes -= len(l.records[last])
		l.records = l.records[:last]
	}
	l.late = nil
	l.cut++
	l.wake()
}

// Len returns how many records the log holds.
func (l *Log) Len() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.records)
}

func (l *Log) append(data []byte) {
	l.records = append(l.records, data)
	l.bytes += len(data)
	for l.bytes > l.options.MaxBytes && len(l.records) > 1 {
		l.bytes -= len(l.records[0])
		l.records[0] = nil
		l.records = l.records[1:]
		l.first++
	}
}

func (l *Log) wake() {
	close(l.changed)
	l.changed = make(chan struct{})
}

// Conn is a connection to the log: it implements replog.Log.
type Conn struct {
	log    *Log
	once   sync.Once
	closed chan struct{}
	cut    bool // guarded by log
}

var _ replog.Log = (*Conn)(nil)

// Close ends the connection, as the death of its process does: no append of it takes effect after
// Close has returned.
func (c *Conn) Close() error {
	c.log.mu.Lock()
	defer c.log.mu.Unlock()
	c.once.Do(func() { close(c.closed) })
	return nil
}

// Cut cuts the connection off from the log, without an end to it, or heals it: readers read nothing,
// and appends are not heard of until their context ends.
func (c *Conn) Cut(off bool) {
	c.log.mu.Lock()
	defer c.log.mu.Unlock()
	c.cut = off
	c.log.wake()
}

// reach waits until the connection is not cut off.
func (c *Conn) reach(ctx context.Context) error {
	for {
		c.log.mu.Lock()
		cut, changed := c.cut, c.log.changed
		c.log.mu.Unlock()
		if !cut {
			return nil
		}
		select {
		case <-changed:
		case <-c.closed:
			return replog.ErrClosed
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Append implements replog.Log.
func (c *Conn) Append(ctx context.Context, data []byte) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := c.reach(ctx); err != nil {
		return err
	}
	fate := Kept
	if c.log.options.Fate != nil {
		fate = c.log.options.Fate(data)
	}
	l := c.log
	l.mu.Lock()
	defer l.mu.Unlock()
	if c.isClosed() {
		return replog.ErrClosed
	}
	if l.down {
		return replog.ErrUnavailable
	}
	defer l.wake()
	switch fate {
	case Twice:
		l.append(data)
		l.append(data)
	case Kept, Unknown:
		l.append(data)
	case Late, Confirmed:
		l.late = append(l.late, data)
	case Failed:
	}
	if fate == Failed || fate == Unknown || fate == Late {
		return replog.ErrUnavailable
	}
	return nil
}

func (c *Conn) isClosed() bool {
	select {
	case <-c.closed:
		return true
	default:
		return false
	}
}

// Open implements replog.Log.
func (c *Conn) Open(_ context.Context, from replog.Offset) (replog.Reader, error) {
	l := c.log
	l.mu.Lock()
	defer l.mu.Unlock()
	if c.isClosed() {
		return nil, replog.ErrClosed
	}
	if l.down {
		return nil, replog.ErrUnavailable
	}
	if from == replog.Oldest {
		from = l.first
	} else if from < l.first || from >= l.first+replog.Offset(len(l.records)) {
		return nil, fmt.Errorf("%w: %d", replog.ErrLost, from)
	}
	return &reader{conn: c, next: from, wiped: l.wiped, cut: l.cut}, nil
}

type reader struct {
	conn  *Conn
	next  replog.Offset
	wiped int
	cut   int
}

// maxBatch bounds what Next returns at once.
const maxBatch = 512

// Next implements replog.Reader.
func (r *reader) Next(ctx context.Context) ([]replog.Raw, error) {
	for {
		raws, changed, err := r.take()
		if err != nil || len(raws) > 0 {
			return raws, err
		}
		select {
		case <-changed:
		case <-r.conn.closed:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func (r *reader) take() ([]replog.Raw, <-chan struct{}, error) {
	l := r.conn.log
	l.mu.Lock()
	defer l.mu.Unlock()
	end := l.first + replog.Offset(len(l.records))
	switch {
	case r.conn.isClosed():
		return nil, nil, replog.ErrClosed
	case l.down, r.cut != l.cut:
		return nil, nil, replog.ErrUnavailable
	case r.conn.cut:
		return nil, l.changed, nil
	case r.wiped != l.wiped || r.next < l.first:
		return nil, nil, fmt.Errorf("%w: %d", replog.ErrLost, r.next)
	}
	var raws []replog.Raw
	for ; r.next < end && len(raws) < maxBatch; r.next++ {
		raws = append(raws, replog.Raw{Offset: r.next, Data: l.records[r.next-l.first]})
	}
	return raws, l.changed, nil
}

// GiveUp implements replog.Reader. There is one log, and nowhere else to read it.
func (r *reader) GiveUp() {}

// Close implements replog.Reader.
func (r *reader) Close() error { return nil }
