package replog

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/google/uuid"
)

// Event is a record that means something, and the state after it.
type Event struct {
	Verdict Verdict // Adopted, NewEpoch, Valid, Passed; or Skipped with a nil Record: see Lost
	Record  *Record
	Hash    Hash
	Size    int // of the record, in bytes
	State   State
}

// Lost reports that the log no longer holds what the replica has read: it follows none from here
// on until an Adopted event.
func (e Event) Lost() bool { return e.Record == nil }

// Follower reads the log from a state on, through lost connections, and folds it. It owns one
// goroutine and one reader at a time: on any error it drops the reader, waits 50 ms to 1 s, and
// attaches again at the last record that counted, which it checks.
type Follower struct {
	log    Log
	state  State
	last   place         // of the last record that counted
	quiet  time.Duration // 0: it never doubts its reader
	doubts bool          // the last reader was given up; the goroutine's alone
	asking sync.WaitGroup
	heard  atomic.Int64 // when a record was read last, or handed over, in ns since start
	handed atomic.Bool  // whether events wait to be received
	start  time.Time
	events chan []Event
	cancel context.CancelFunc
	err    error                     // set before events is closed
	own    atomic.Pointer[ownRecord] // see Expect
}

// place is where a record is.
type place struct {
	Offset
	Hash
}

// Follow starts to read at the state. Close ends it.
//
// Where quiet is above 0, a reader that has read nothing for so long is questioned: the follower
// appends a barrier, and gives the reader up if nothing comes for as long again. A reader may be
// attached to a node that is cut off from the others, on a connection that lives.
func Follow(ctx context.Context, log Log, from State, quiet time.Duration) *Follower {
	ctx, cancel := context.WithCancel(ctx)
	f := &Follower{log: log, state: from, last: place{from.Offset, from.Hash}, quiet: quiet, start: time.Now(), events: make(chan []Event), cancel: cancel}
	go func() {
		defer close(f.events)
		f.err = f.run(ctx)
		cancel()
		f.asking.Wait()
	}()
	return f
}

// Silence returns for how long nothing was read. It says something about the log only where quiet
// is above 0: then a log that can be reached is never silent for much longer than that.
//
// While read events wait to be received it is 0: who receives them is busy, and the log is not silent.
func (f *Follower) Silence() time.Duration {
	if f.handed.Load() {
		return 0
	}
	return time.Since(f.start) - time.Duration(f.heard.Load())
}

// Events returns the channel of events, in batches as they came. It is closed when the follower
// can not go on: see Err.
func (f *Follower) Events() <-chan []Event { return f.events }

// Expect tells the follower of a record that was appended, so that it does not decode it when it reads it: bytes
// with the hash of the record's are the record's.
func (f *Follower) Expect(r *Record, hash Hash) { f.own.Store(&ownRecord{r, hash}) }

type ownRecord struct {
	record *Record
	hash   Hash
}

// expected returns the record that was expected with that hash; nil: it is another one.
func (f *Follower) expected(hash Hash) *Record {
	if own := f.own.Load(); own != nil && own.hash == hash {
		return own.record
	}
	return nil
}

// Err returns why Events was closed: ErrForeign, ErrCorrupt, or the error of the context.
func (f *Follower) Err() error { return f.err }

// Close ends the follower and waits until it has let go of the log.
func (f *Follower) Close() {
	f.cancel()
	for range f.events {
		continue // until it is closed
	}
}

func (f *Follower) run(ctx context.Context) error {
	pause := backoff.NewExponentialBackOff()
	pause.InitialInterval, pause.MaxInterval = 50*time.Millisecond, time.Second
	for {
		err := f.attach(ctx, pause.Reset)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, ErrForeign), errors.Is(err, ErrCorrupt), errors.Is(err, ErrClosed):
			return err
		case errors.Is(err, ErrLost) && f.state.LogID != "":
			// Look for a log that goes on from here, from its beginning.
			f.state = f.state.leave()
			if err := f.emit(ctx, []Event{{State: f.state}}); err != nil {
				return err
			}
			continue
		}
		select {
		case <-time.After(pause.NextBackOff()):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// attach reads on until the reader fails.
func (f *Follower) attach(ctx context.Context, working func()) error {
	from := f.last.Offset
	if f.state.LogID == "" {
		from = Oldest
		f.state.Beyond, f.state.Fence, f.state.Tip = false, 0, Hash{} // the log that is read now says it anew
	}
	reader, err := f.log.Open(ctx, from)
	if err != nil {
		return err
	}
	defer reader.Close() //nolint:errcheck // nothing was written through it
	first := true
	for {
		raws, err := f.next(ctx, reader)
		if err != nil {
			return err
		}
		if first {
			if raws, err = f.verify(raws); err != nil {
				return err
			}
			first = false
			working()
		}
		if len(raws) > 0 { // the first record says nothing about the end of the log
			f.heard.Store(int64(time.Since(f.start)))
			f.doubts = false
		}
		events, err := f.fold(raws)
		if len(events) > 0 {
			if err := f.emit(ctx, events); err != nil {
				return err
			}
		}
		if err != nil {
			return err
		}
	}
}

// mostAsking is for how many times quiet the follower goes on asking.
const mostAsking = 5

// errSilent: a reader has read nothing, although something was appended, or could not be.
var errSilent = fmt.Errorf("%w: nothing was read for too long", ErrUnavailable)

// next reads on, and questions the reader when it is silent.
func (f *Follower) next(ctx context.Context, reader Reader) ([]Raw, error) {
	if f.quiet == 0 {
		return reader.Next(ctx)
	}
	patience := f.quiet + rand.N(f.quiet/4) // so that mostly one of several followers asks
	if f.doubts {
		patience = 0 // the next reader shows at once whether it is any better
	}
	raws, err := nextWithin(ctx, patience, reader)
	if !errors.Is(err, context.DeadlineExceeded) || ctx.Err() != nil {
		return raws, err
	}
	f.asking.Go(func() {
		// It outlives the reader: on a slow machine the connection for it takes longer than quiet, and
		// the next reader finds it. Where it fails nothing comes, and the reader is given up.
		asking, stop := context.WithTimeout(ctx, mostAsking*f.quiet)
		defer stop()
		barrier := Record{Kind: BarrierKind, Nonce: uuid.NewString()}
		_ = f.log.Append(asking, barrier.Encode())
	})
	raws, err = nextWithin(ctx, f.quiet, reader)
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		f.doubts = true
		reader.GiveUp()
		return nil, errSilent
	}
	return raws, err
}

func nextWithin(ctx context.Context, limit time.Duration, reader Reader) ([]Raw, error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	return reader.Next(ctx)
}

// verify checks that the first record read is the last entry, marker or genesis that counted, and drops it: a
// broker attaches beyond the end, or below what it has kept, without a word.
func (f *Follower) verify(raws []Raw) ([]Raw, error) {
	first := raws[0]
	switch {
	case f.state.LogID != "" && f.last != place{first.Offset, HashOf(first.Data)}:
		return nil, ErrLost
	case f.state.LogID != "":
		return raws[1:], nil
	case first.Offset != 0 && (f.state.Left == "" || first.Offset > f.state.Offset):
		return nil, fmt.Errorf("%w: its beginning was truncated", ErrForeign)
	case first.Offset != 0:
		f.state.Beyond = true // the log goes on, from before the place where it no longer has what was read
	}
	return raws, nil
}

func (f *Follower) fold(raws []Raw) ([]Event, error) {
	events := make([]Event, 0, len(raws))
	for _, raw := range raws {
		hash := HashOf(raw.Data)
		record := f.expected(hash)
		if record == nil {
			var err error
			if record, err = Decode(raw.Data); err != nil {
				continue // Skipped: no replica can read it
			}
		}
		state, verdict := Fold(f.state, record, raw.Offset, hash)
		f.state = state
		switch verdict {
		case Skipped:
			continue
		case Adopted, NewEpoch, Valid:
			f.last = place{raw.Offset, hash}
		case Passed:
		case Foreign:
			return events, fmt.Errorf("%w: it begins at %d, the database is at %d", ErrForeign, record.Seq, state.Seq)
		case Corrupt:
			return events, fmt.Errorf("%w: entry %s at offset %d", ErrCorrupt, record.Position(), raw.Offset)
		}
		events = append(events, Event{Verdict: verdict, Record: record, Hash: hash, Size: len(raw.Data), State: state})
	}
	return events, nil
}

func (f *Follower) emit(ctx context.Context, events []Event) error {
	f.handed.Store(true)
	defer func() {
		f.heard.Store(int64(time.Since(f.start)))
		f.handed.Store(false)
	}()
	select {
	case f.events <- events:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
