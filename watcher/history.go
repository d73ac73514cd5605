package watcher

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"rideshare/internal/cluster"
)

// recordTime is how long a command waits until the record of it is kept.
const recordTime = 2 * time.Second

// record keeps a record of an operator's command, and logs it in any case. The command has been carried out: a
// registry that cannot be reached does not change that.
func (w *Watcher) record(ctx context.Context, id string, c cluster.Command, answer cluster.Answer) {
	if c.By == nil {
		return
	}
	r := cluster.Record{
		ID: id, At: time.Now().UTC(), Who: c.By.Name, Token: c.By.Token, From: c.By.From, What: what(c), Result: result(c, answer),
	}
	fields := []any{"who", r.Who, "token", r.Token, "from", r.From, "what", r.What, "result", r.Result}
	// Its caller may have given up, and the command is done nevertheless.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordTime)
	defer cancel()
	if err := w.Registry.Record(ctx, r); err != nil {
		w.Logger.Warn("an operator's command, of which the history has no record", append(fields, "why", err)...)
		return
	}
	w.Logger.Info("an operator's command", fields...)
}

func what(c cluster.Command) string {
	switch {
	case c.Crash != "":
		return "kill the " + string(c.Crash)
	case c.Scale != nil && c.Scale.Auto:
		return "leave the number of slaves to the autoscaler"
	case c.Scale != nil:
		return fmt.Sprintf("set the number of slaves to %d", c.Scale.Count)
	case c.Switchover != nil:
		return "switch over to " + cmp.Or(c.Switchover.To, "the most advanced slave")
	case c.Done != nil:
		return c.Done.What
	default:
		return "look at the cluster"
	}
}

func result(c cluster.Command, answer cluster.Answer) string {
	switch {
	case c.Done != nil:
		return c.Done.Result
	case answer.Problem != "":
		return "failed: " + answer.Message
	case len(answer.Killed) > 0:
		return fmt.Sprintf("done: killed process %d", answer.Killed[0])
	case c.Switchover != nil && answer.Topology != nil:
		return "done: the master is " + answer.Topology.Master
	default:
		return "done"
	}
}

// records answers with the history.
func (w *Watcher) records(ctx context.Context) cluster.Answer {
	history, err := w.Registry.History(ctx)
	if err != nil {
		return problem(cluster.NoRegistry, "the registry cannot be reached: %s", err)
	}
	return cluster.Answer{History: history}
}
