package workers

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/cenkalti/backoff/v5"

	"rideshare/internal/cluster"
	"rideshare/internal/registry"
	"rideshare/internal/replog"
	"rideshare/internal/store"
)

// joinIfEmpty copies a snapshot into an empty database where there is somebody to copy from.
// Where there is nobody, the log may still reach back to the beginning.
func (w *Worker) joinIfEmpty(ctx context.Context) error {
	state, err := w.Store.State(ctx)
	if err != nil || state != (replog.State{}) {
		return err
	}
	members, err := w.Registry.Members(ctx)
	if err != nil {
		return nil //nolint:nilerr // without a registry: try the log
	}
	if donor, ok := chooseDonor(w.ID, members, nil); ok {
		if err := w.copyFrom(ctx, donor); err != nil {
			w.Logger.Warn("cannot copy a snapshot", "from", donor.ID, "why", err)
		}
	}
	return ctx.Err()
}

// join replaces the database by a snapshot of another replica's, and tries until that works, or its own
// database is damaged or gone.
func (w *Worker) join(ctx context.Context) error {
	retry := backoff.NewExponentialBackOff()
	retry.InitialInterval, retry.MaxInterval = 50*time.Millisecond, 2*time.Second
	asked := map[string]int{}
	for {
		members, err := w.Registry.Members(ctx)
		if err == nil {
			err = fmt.Errorf("no replica is serving")
			if donor, ok := chooseDonor(w.ID, members, asked); ok {
				asked[donor.ID]++
				err = w.copyFrom(ctx, donor)
			}
		}
		if err == nil || errors.Is(err, store.ErrGone) || errors.Is(err, store.ErrDamaged) {
			return err
		}
		w.Logger.Warn("waiting to join", "why", err)
		wait := retry.NextBackOff()
		if errors.Is(err, store.ErrFull) {
			wait = joinRetry
		}
		if !pause(ctx, wait) {
			return ctx.Err()
		}
	}
}

// joinRetry is how long a worker waits that has no room for a snapshot: its donor has read all of it for
// nothing.
const joinRetry = 10 * time.Second

func (w *Worker) copyFrom(ctx context.Context, donor registry.Member) error {
	start := time.Now()
	w.status.update(func(v *view) { v.State = cluster.Joining })
	snapshot, err := w.Fetch(ctx, donor)
	if err != nil {
		return err
	}
	defer snapshot.Close() //nolint:errcheck // it was read to its end, which Import checks
	if err := w.Store.Import(ctx, foreign{snapshot}); err != nil {
		if errors.Is(err, store.ErrFull) {
			w.outOfRoom(err, false)
		}
		return err
	}
	w.roomAgain()
	w.Logger.Info("joined", "from", donor.ID, "position", donor.Position, "took", time.Since(start))
	return nil
}

// foreign reads a snapshot. Its errors are about the donor's database, and are not taken for those of
// this worker's own.
type foreign struct{ io.Reader }

// Read implements io.Reader.
func (f foreign) Read(p []byte) (int, error) {
	n, err := f.Reader.Read(p)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, context.Canceled) {
		err = errors.New("the snapshot: " + err.Error())
	}
	return n, err
}

// chooseDonor returns the most advanced slave, or the master where there is no slave, of those that were
// asked in vain least often. Where nobody serves, it returns the most advanced of those that only give, and
// no other, as that one may have writes that the others lack.
func chooseDonor(self string, members []registry.Member, asked map[string]int) (registry.Member, bool) {
	var donors []registry.Member
	for _, m := range members {
		if m.ID != self && (m.State == cluster.Serving || m.State == cluster.Deleted) {
			donors = append(donors, m)
		}
	}
	if len(donors) == 0 {
		return registry.Member{}, false
	}
	return slices.MinFunc(donors, func(a, b registry.Member) int {
		return cmp.Or(slices.Compare(donorRank(a, asked), donorRank(b, asked)), moreAdvanced(a, b))
	}), true
}

// donorRank is compared place by place; who comes first is asked.
func donorRank(m registry.Member, asked map[string]int) []int {
	switch {
	case m.State == cluster.Deleted:
		return []int{1}
	case m.Role == cluster.Master:
		return []int{0, asked[m.ID], 1}
	default:
		return []int{0, asked[m.ID], 0}
	}
}
