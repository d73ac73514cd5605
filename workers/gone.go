package workers

import (
	"context"
	"errors"

	"rideshare/internal/cluster"
	"rideshare/internal/store"
)

// filesGone is what the registry, and so everybody, is told of the database of a worker that is Deleted.
const filesGone = "its files were deleted or moved while it runs"

// give is what remains for a worker whose files were deleted: others copy what it still has open. It
// writes nothing any more, answers no reads and stands for no election, until ctx ends.
func (w *Worker) give(ctx context.Context, why error) error {
	w.Logger.Error("the files of the database were deleted or moved: it takes no more writes, and others copy what it has", "why", why)
	w.status.update(func(v *view) { v.State = cluster.Deleted })
	<-ctx.Done()
	return ctx.Err()
}

// damaged ends the worker where err says that its database cannot be read; also what is not the
// replica's own reading may find that out.
func (w *Worker) damaged(err error) error {
	if errors.Is(err, store.ErrDamaged) {
		select {
		case w.damage <- err:
		default: // another one was faster
		}
	}
	return err
}

// awaitDamage returns what damaged was told first.
func (w *Worker) awaitDamage(ctx context.Context) error {
	select {
	case err := <-w.damage:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}
