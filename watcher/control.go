package watcher

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"rideshare/internal/bus"
	"rideshare/internal/cluster"
	"rideshare/internal/registry"
)

// controlPrefetch is how many commands are in hand at a time.
const controlPrefetch = 8

// serveControl carries out commands while this watcher leads.
func (w *Watcher) serveControl(ctx context.Context) {
	for ctx.Err() == nil {
		if w.isLeading() {
			consumer, err := w.Bus.Consume(ctx, bus.Control, bus.ConsumeOptions{Prefetch: controlPrefetch})
			if errors.Is(err, bus.ErrClosed) {
				return
			}
			if err == nil {
				w.consumeControl(ctx, consumer)
				consumer.Close()
			}
		}
		select {
		case <-time.After(50 * time.Millisecond):
		case <-ctx.Done():
		}
	}
}

func (w *Watcher) consumeControl(ctx context.Context, consumer bus.Consumer) {
	stillLeading := time.NewTicker(time.Second)
	defer stillLeading.Stop()
	for {
		select {
		case d, ok := <-consumer.Deliveries():
			if !ok {
				return
			}
			w.acting.Go(func() { w.answer(ctx, d) })
		case <-stillLeading.C:
			if !w.isLeading() {
				return
			}
		case <-ctx.Done():
			return
		}
	}
}

func (w *Watcher) answer(ctx context.Context, d bus.Delivery) {
	answer := w.execute(ctx, d)
	body, err := json.Marshal(answer)
	if err != nil {
		w.Logger.Error("an answer has no JSON form", "why", err)
		return
	}
	if err := d.Reply(ctx, body); err != nil {
		w.Logger.Debug("cannot reply", "why", err)
	}
	_ = d.Ack() // where the connection is lost the command comes again, with its caller gone
}

func (w *Watcher) execute(ctx context.Context, d bus.Delivery) cluster.Answer {
	var command cluster.Command
	if err := json.Unmarshal(d.Body, &command); err != nil {
		return problem(cluster.Failed, "the command cannot be read: %s", err)
	}
	if command.Topology || command.History { // a second look does no harm, and the answer is large
		return w.carryOutBy(ctx, d.Expires, command)
	}
	return w.once(d.ID, func() cluster.Answer {
		answer := w.carryOutBy(ctx, d.Expires, command)
		w.record(ctx, d.ID, command, answer)
		return answer
	})
}

// remember is how long a command's answer is kept. Nobody waits for an answer that long.
const remember = 5 * time.Minute

// once carries out a command that may be delivered again, as when the broker's node is given up meanwhile. A
// second delivery gets the answer of the first. An empty id is that of no command.
func (w *Watcher) once(id string, carryOut func() cluster.Answer) cluster.Answer {
	if id == "" {
		return carryOut()
	}
	answer, known := w.answers.LoadOrStore(id, sync.OnceValue(carryOut))
	if !known {
		time.AfterFunc(remember, func() { w.answers.Delete(id) })
	}
	return answer.(func() cluster.Answer)()
}

// answerTime is what is left to a caller for the way of the answer.
const answerTime = 500 * time.Millisecond

// carryOutBy carries out a command until its caller gives up; the zero time: who waits for ever.
func (w *Watcher) carryOutBy(ctx context.Context, end time.Time, c cluster.Command) cluster.Answer {
	if !end.IsZero() {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, end.Add(-answerTime))
		defer cancel()
	}
	return w.carryOut(ctx, c)
}

func (w *Watcher) carryOut(ctx context.Context, c cluster.Command) cluster.Answer {
	switch {
	case c.Crash != "":
		return w.crash(ctx, c.Crash)
	case c.Scale != nil:
		return w.scale(ctx, *c.Scale)
	case c.Switchover != nil:
		return w.switchOver(ctx, c.Switchover.To)
	case c.Done != nil:
		return cluster.Answer{}
	case c.History:
		return w.records(ctx)
	default:
		return w.topology(ctx)
	}
}

func problem(p cluster.Problem, format string, args ...any) cluster.Answer {
	return cluster.Answer{Problem: p, Message: fmt.Sprintf(format, args...)}
}

// crash kills the worker of the master, or of the slave with the highest process id.
func (w *Watcher) crash(ctx context.Context, role cluster.Role) cluster.Answer {
	t, err := w.look(ctx)
	if err != nil {
		return problem(cluster.Failed, "%s", err)
	}
	var victim *cluster.Worker
	for i, c := range t.Workers {
		if c.Role == role && (victim == nil || c.PID > victim.PID) {
			victim = &t.Workers[i]
		}
	}
	if victim == nil {
		return problem(cluster.NoSuchWorker, "there is no %s", role)
	}
	if err := w.kill(ctx, victim.Pair); err != nil {
		return problem(cluster.Failed, "%s", err)
	}
	w.evict(ctx, victim.ID, "crashed on request")
	w.poke()
	return cluster.Answer{Killed: []int{victim.PID}}
}

// scale sets the number of slaves.
func (w *Watcher) scale(ctx context.Context, c cluster.ScaleCommand) cluster.Answer {
	if !c.Auto && (c.Count < 1 || c.Count > w.Rule.Max) {
		return problem(cluster.OutOfRange, "the number of slaves must be from 1 to %d", w.Rule.Max)
	}
	err := w.change(ctx, func(config *registry.Config) {
		config.Auto = c.Auto
		if !c.Auto {
			config.Slaves = c.Count
		}
	})
	if err != nil {
		return problem(cluster.Failed, "%s", err)
	}
	w.poke()
	return w.topology(ctx)
}

// switchOver asks a slave to take over from the present master, and waits until it has.
func (w *Watcher) switchOver(ctx context.Context, to string) cluster.Answer {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	changes := w.Registry.Watch(ctx)
	t, err := w.look(ctx)
	if err != nil {
		return problem(cluster.Failed, "%s", err)
	}
	successor := choose(t, to)
	if successor == "" || t.Master == "" {
		return problem(cluster.NoSuchWorker, "there is no slave %s that serves and can write", to)
	}
	if t.RegistryLeader.Worker != t.Master {
		return problem(cluster.Failed, "another master is being elected")
	}
	from := t.RegistryLeader.Epoch
	err = w.change(ctx, func(c *registry.Config) { c.Switch = registry.Switch{To: successor, From: from} })
	for err == nil {
		if t, err = w.look(ctx); err == nil && t.Epoch > from && t.Master != "" {
			return cluster.Answer{Topology: &t}
		}
		select {
		case <-changes:
		case <-ctx.Done():
			err = ctx.Err()
		}
	}
	return problem(cluster.Failed, "%s has not become master: %s", successor, err)
}

// choose returns the slave of that name or, without a name, the most advanced one, if it serves and can
// write.
func choose(t cluster.Topology, to string) string {
	var best *cluster.Worker
	for i, c := range t.Workers {
		fits := c.Role == cluster.Slave && c.State == cluster.Serving && registry.Member{Database: c.Database}.Writable() && (to == "" || to == c.ID)
		if fits && (best == nil || c.Position.Seq > best.Position.Seq) {
			best = &t.Workers[i]
		}
	}
	if best == nil {
		return ""
	}
	return best.ID
}
