package inprocess

import (
	"context"
	"errors"
	"sync"

	"rideshare/internal/pairs"
	"rideshare/internal/store"
)

// pair is a pair. All but starting is guarded by Pairs.mu.
type pair struct {
	id, dir  string
	starting sync.Mutex // held while it is started or removed
	run      *run       // the present or last run; nil: none yet
	runs     int
	dead     bool   // the database was killed
	fault    string // why the worker does not run
	// unreadable is why the data cannot be read, empty where it can, or nobody has tried.
	unreadable string
}

// judge notes what the end of an attempt to use the data says about it. Pairs.mu is held.
func (p *pair) judge(err error) {
	p.unreadable = ""
	if errors.Is(err, store.ErrDamaged) {
		p.unreadable = err.Error()
	}
}

// run is one life of a worker.
type run struct {
	who    Identity
	db     store.Store
	worker Worker
	cancel context.CancelFunc
	over   bool          // killed or ended, as everybody sees it
	done   chan struct{} // closed when nothing of it is left

	closing sync.WaitGroup // the database is being killed
}

// kill ends the worker without a chance to clean up. Pairs.mu is held.
func (r *run) kill() {
	r.over = true
	r.worker.Kill()
	r.cancel()
}

func (p *pair) describe() pairs.Pair {
	d := pairs.Pair{ID: p.id, Worker: pairs.Process{Fault: p.fault}, Unreadable: p.unreadable}
	if p.run == nil {
		return d
	}
	d.Worker.ID = p.run.who.ID
	d.Worker.Running = !p.run.over
	if d.Worker.Running {
		d.Worker.PID = p.run.who.PID
	}
	d.Database.Running = !p.dead
	if p.dead {
		d.Database.Fault = killed
	}
	return d
}

// awaitEnd waits until nothing of the last run is left: a new one would meet its locks.
func (p *pair) awaitEnd(ctx context.Context) error {
	if p.run == nil {
		return nil
	}
	select {
	case <-p.run.done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Events implements pairs.Pairs.
func (p *Pairs) Events(ctx context.Context) <-chan pairs.Event {
	events := make(chan pairs.Event, 64)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.subscribers[events] = struct{}{}
	context.AfterFunc(ctx, func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		delete(p.subscribers, events)
		close(events)
	})
	return events
}

// emit tells every subscriber that has room. Pairs.mu is held.
func (p *Pairs) emit(e pairs.Event) {
	for events := range p.subscribers {
		select {
		case events <- e:
		default:
		}
	}
}
