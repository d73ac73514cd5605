package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"rideshare/client"
)

func newStatus(o *operator) *cobra.Command {
	var watch bool
	var interval time.Duration
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Print the topology: who is master, how far each replica is, what was put right",
		Long: `Print the topology: who is master, how far each replica is, what was put right lately.

With --watch it is printed again and again, until Ctrl-C; with --output json as one line each time.`,
		Example: "  rideshare status\n  rideshare status --watch\n  rideshare status -o json\n  rideshare status --url https://rides.example --token \"$TOKEN\"",
		Args:    cobra.NoArgs,
	}
	output := outputFlag(cmd)
	cmd.Flags().BoolVarP(&watch, "watch", "w", false, "print it again and again")
	durationFlag(cmd.Flags(), &interval, "interval", time.Second, time.Millisecond, "how often, with --watch")
	cmd.RunE = o.with(func(cmd *cobra.Command, _ []string, c *client.Client) error {
		if watch {
			return o.watch(cmd, c, *output, interval)
		}
		t, err := c.GetCluster(cmd.Context())
		if err != nil {
			return err
		}
		if *output == asJSON {
			return printJSON(o.out, t)
		}
		return o.printTopology(t)
	})
	return cmd
}

// watch prints the topology until ctx ends. What fails meanwhile is printed and waited out: that is
// when somebody watches.
func (o *operator) watch(cmd *cobra.Command, c *client.Client, output format, interval time.Duration) error {
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for {
		t, err := c.GetCluster(cmd.Context())
		if cmd.Context().Err() != nil {
			return nil
		}
		if err := o.printMoment(t, err, output); err != nil {
			return err
		}
		select {
		case <-tick.C:
		case <-cmd.Context().Done():
			return nil
		}
	}
}

func (o *operator) printMoment(t *client.Topology, err error, output format) error {
	if err != nil {
		_, err := fmt.Fprintln(o.err, "rideshare:", err)
		return err
	}
	if output == asJSON {
		return json.NewEncoder(o.out).Encode(t)
	}
	if o.outIsTerminal {
		fmt.Fprint(o.out, "\x1b[H\x1b[2J")
	}
	return errors.Join(o.printTopology(t), newline(o.out))
}

func newline(w io.Writer) error {
	_, err := fmt.Fprintln(w)
	return err
}

// shownRecoveries is how many recoveries status shows.
const shownRecoveries = 5

// printTopology prints the topology as a table.
func (o *operator) printTopology(t *client.Topology) error {
	master := t.Master
	if master == "" {
		master = "none"
	}
	scaled := "fixed"
	if t.Desired.Auto {
		scaled = fmt.Sprintf("automatic, %d to %d", t.Desired.Min, t.Desired.Max)
	}
	fmt.Fprintf(o.out, "master %s, %s; %d slaves wanted (%s)\n\n", master, epochOf(t), t.Desired.Slaves, scaled)
	if t.RegistryLeader.Epoch > t.LogLeader.Epoch {
		fmt.Fprintf(o.out, "the registry has elected %s for epoch %d; according to the log %s leads, epoch %d\n\n",
			t.RegistryLeader.Worker, t.RegistryLeader.Epoch, nobodyIfEmpty(t.LogLeader.Worker), t.LogLeader.Epoch)
	}
	if err := errors.Join(o.printWorkers(t.Workers), o.printFaults(t.Faults)); err != nil || len(t.Recoveries) == 0 {
		return err
	}
	fmt.Fprintln(o.out)
	return o.printRecoveries(t.Recoveries[:min(len(t.Recoveries), shownRecoveries)])
}

func nobodyIfEmpty(worker string) string {
	if worker == "" {
		return "nobody"
	}
	return worker
}

// epochOf says what is known of the epoch, and from where unless it is the master's.
func epochOf(t *client.Topology) string {
	switch {
	case t.Epoch == 0:
		return "epoch not known"
	case t.EpochFrom == "replicas":
		return fmt.Sprintf("epoch %d by the replicas", t.Epoch)
	case t.EpochFrom == "registry":
		return fmt.Sprintf("epoch %d by the last election", t.Epoch)
	default:
		return fmt.Sprintf("epoch %d", t.Epoch)
	}
}

func (o *operator) printWorkers(workers []client.Worker) error {
	var t table
	t.add(plain, "WORKER", "ROLE", "STATE", "PID", "POSITION", "LAG", "READS", "DATABASE")
	for _, w := range workers {
		colour, state := plain, w.State
		if w.CutOff {
			state += ", cut off"
		}
		switch {
		case w.Database != "ok":
			colour = red
		case w.State != "serving" || w.CutOff:
			colour = yellow
		case w.Role == "master":
			colour = green
		}
		t.add(colour, w.ID, w.Role, state, w.PID, w.Position, w.Lag, w.Reads, w.Database)
	}
	return t.print(o.out, o.coloured())
}

// printFaults prints the pairs that do not serve, if there are any.
func (o *operator) printFaults(faults []client.PairFault) error {
	if len(faults) == 0 {
		return nil
	}
	var t table
	t.add(plain, "PAIR", "DOES NOT SERVE")
	for _, f := range faults {
		t.add(red, cmp.Or(f.Pair, "a new one"), f.Why)
	}
	return errors.Join(newline(o.out), t.print(o.out, o.coloured()))
}

func (o *operator) printRecoveries(recoveries []client.Recovery) error {
	var t table
	t.add(plain, "RECOVERED", "TOOK", "WHY", "DONE")
	for _, r := range recoveries {
		t.add(plain, r.At.Local().Format(time.DateTime), fmt.Sprint(r.DurationMs, " ms"), r.Why, r.What)
	}
	return t.print(o.out, o.coloured())
}
