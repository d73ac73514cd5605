package rabbitmq

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"rideshare/internal/replog"
)

const (
	// firstWait is how long the record at the offset may take to come before the end of the log is
	// looked for. It comes within milliseconds where it exists.
	firstWait = 250 * time.Millisecond
	// probeTimeout is how long finding the end may take.
	probeTimeout = 5 * time.Second
)

// Open implements replog.Log. It returns when the first record has arrived, but for Oldest: an
// empty log has none.
//
// The broker says nothing of an offset that the stream does not have. Below what retention has
// left it begins with the oldest record, which shows. Beyond the end, as when the stream was lost
// and is being written anew, it would wait until the stream gets there: so where nothing comes,
// Open appends a barrier and looks where that is.
func (l *Log) Open(ctx context.Context, from replog.Offset) (replog.Reader, error) {
	if l.isClosed() {
		return nil, replog.ErrClosed
	}
	if from == replog.Oldest {
		r, err := l.attach(ctx, "first", 0)
		if err != nil {
			return nil, err
		}
		return r, nil
	}
	r, err := l.attach(ctx, int64(from), from)
	if err != nil {
		return nil, err
	}
	if err := l.verify(ctx, r); err != nil {
		if !errors.Is(err, replog.ErrLost) && ctx.Err() == nil {
			r.GiveUp() // its node may be behind the others
		}
		return nil, errors.Join(err, r.Close())
	}
	return r, nil
}

// verify makes sure that the first record of the reader is the one it was opened at.
func (l *Log) verify(ctx context.Context, r *reader) error {
	soon, cancel := context.WithTimeout(ctx, firstWait)
	defer cancel()
	err := r.wait(soon)
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		until, cancel := context.WithTimeout(ctx, probeTimeout)
		defer cancel()
		if err = l.probe(until, r.from); err == nil {
			err = r.wait(until)
		}
		if err != nil && ctx.Err() == nil && until.Err() != nil {
			err = l.fault(err)
		}
	}
	if err != nil {
		return err
	}
	if first, _ := r.first(); first != r.from {
		return fmt.Errorf("%w: %d, the log begins at %d", replog.ErrLost, r.from, first)
	}
	return nil
}

// probe returns ErrLost where the log ends before the offset. It does not guess by time, as a slow
// broker must not pass for a lost log: a barrier that is appended now comes after every record
// that the log has ever had.
func (l *Log) probe(ctx context.Context, offset replog.Offset) error {
	barrier := replog.Record{Kind: replog.BarrierKind, Nonce: uuid.NewString()}.Encode()
	if err := l.Append(ctx, barrier); err != nil {
		return err
	}
	// "last" is the last chunk: one that has the barrier, or one of before or after it.
	r, err := l.attach(ctx, "last", 0)
	if err != nil {
		return err
	}
	defer r.Close() //nolint:errcheck // nothing was written through it
	for {
		raws, err := r.Next(ctx)
		if err != nil {
			return err
		}
		for _, raw := range raws {
			if raw.Offset >= offset {
				return nil
			}
			if bytes.Equal(raw.Data, barrier) {
				return fmt.Errorf("%w: %d, the log ends at %d", replog.ErrLost, offset, raw.Offset)
			}
		}
	}
}
