package docker

import (
	"context"
	"fmt"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/docker/docker/api/types/events"

	"rideshare/internal/pairs"
)

// waiting is how many events wait for a receiver.
const waiting = 64

// Events implements pairs.Pairs. After a lost connection it goes on where it was, so that a restart
// of the engine's proxy hides no death.
func (p *Pairs) Events(ctx context.Context) <-chan pairs.Event {
	out := make(chan pairs.Event, waiting)
	since := time.Now()
	go func() {
		defer close(out)
		retry := backoff.NewExponentialBackOff()
		retry.InitialInterval, retry.MaxInterval = 50*time.Millisecond, 2*time.Second
		for ctx.Err() == nil {
			last := p.stream(ctx, since, out)
			if last.After(since) {
				since = last.Add(time.Nanosecond) // the engine repeats what was at that time
				retry.Reset()
			}
			select {
			case <-time.After(retry.NextBackOff()):
			case <-ctx.Done():
			}
		}
	}()
	return out
}

// stream passes deaths on until the stream ends, and returns the time of the last one.
func (p *Pairs) stream(ctx context.Context, since time.Time, out chan<- pairs.Event) (last time.Time) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	// A client of its own: Events reads the version beside calls that may still be negotiating it.
	api, err := connect(p.config.Host)
	if err != nil {
		return last
	}
	defer api.Close() //nolint:errcheck // it only closes idle connections
	if _, err := api.Ping(ctx); err != nil {
		return last
	}
	api.NegotiateAPIVersion(ctx)
	f := p.labelled("")
	f.Add("type", string(events.ContainerEventType))
	f.Add("event", string(events.ActionDie))
	messages, errs := api.Events(ctx, events.ListOptions{Since: stamp(since), Filters: f})
	for {
		select {
		case m := <-messages:
			last = time.Unix(0, m.TimeNano)
			e, ok := p.death(ctx, m)
			if !ok {
				continue
			}
			select {
			case out <- e:
			default: // nobody receives: List is the truth
			}
		case <-errs: //nolint:errcheck // whatever it is: connect again
			return last
		}
	}
}

// stamp is a time as the engine reads it.
func stamp(t time.Time) string { return fmt.Sprintf("%d.%09d", t.Unix(), t.Nanosecond()) }

// death returns the event that a message stands for; none where the container was ended on purpose.
func (p *Pairs) death(ctx context.Context, m events.Message) (pairs.Event, bool) {
	p.mu.Lock()
	quiet := p.quiet[m.Actor.ID]
	delete(p.quiet, m.Actor.ID)
	p.mu.Unlock()
	labels := m.Actor.Attributes
	e := pairs.Event{Pair: labels[labelPair], Part: pairs.Part(labels[labelPart])}
	switch {
	case quiet:
		return e, false
	case e.Part == pairs.WorkerPart:
		e.Worker = e.Pair + "." + labels[labelRun]
	case e.Part == pairs.DatabasePart:
		e.Worker = p.presentWorker(ctx, e.Pair)
	default:
		return e, false
	}
	e.Why = atFirstSight(m)
	return e, true
}

// presentWorker returns the id of the pair's last worker, empty where it cannot be found out.
func (p *Pairs) presentWorker(ctx context.Context, pair string) string {
	f, err := p.look(ctx, pair)
	if err != nil || f == nil || f.last().run == 0 {
		return ""
	}
	return workerID(pair, f.last().run)
}
