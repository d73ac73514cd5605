package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha1"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"

	"rideshare/client"
)

// The limits of a demo load.
const (
	maxRides       = 1_000_000
	maxConcurrency = 256
)

// loadOptions bound a load.
type loadOptions struct {
	rides, concurrency int
	duration           time.Duration
	keep               bool
}

func newLoad(o *operator) *cobra.Command {
	var l loadOptions
	cmd := &cobra.Command{
		Use:   "load",
		Short: "Offer rides and look them up, as callers do, and say how long that took",
		Long: `Offer rides and look them up, as callers do, and say how long that took. It ends after --rides or
--duration, whichever comes first. A user of its own offers the rides; both go when it ends.

A request that nobody can serve is sent again, under the same Idempotency-Key: a change of master is
seen as a longer time, not as a failure.`,
		Example: "  rideshare load\n  rideshare load --duration 1m --concurrency 32 & rideshare crash master",
		Args:    cobra.NoArgs,
	}
	output := outputFlag(cmd)
	wholeFlag(cmd.Flags(), &l.rides, "rides", 1000, maxRides, "how many rides to offer, at most")
	wholeFlag(cmd.Flags(), &l.concurrency, "concurrency", 8, maxConcurrency, "how many callers there are")
	durationFlag(cmd.Flags(), &l.duration, "duration", time.Minute, time.Millisecond, "how long, at most")
	cmd.Flags().BoolVar(&l.keep, "keep", false, "leave the user and the rides there")
	cmd.RunE = o.with(func(cmd *cobra.Command, _ []string, c *client.Client) error {
		result, err := o.load(cmd.Context(), c, l)
		if err != nil {
			return err
		}
		if *output == asJSON {
			err = printJSON(o.out, result)
		} else {
			err = o.printLoad(result)
		}
		if err == nil && result.failed() > 0 {
			err = fmt.Errorf("%d requests failed", result.failed())
		}
		return errors.Join(err, cmd.Context().Err()) // what was done until Ctrl-C is printed all the same
	}, client.WithPatience(client.DefaultPatience))
	return cmd
}

// loadResult is what load prints as JSON.
type loadResult struct {
	Seconds float64 `json:"seconds"`
	Writes  latency `json:"writes"`
	Reads   latency `json:"reads"`
}

func (r loadResult) failed() int { return r.Writes.Failed + r.Reads.Failed }

// load runs a load with a user of its own.
func (o *operator) load(ctx context.Context, c *client.Client, l loadOptions) (loadResult, error) {
	credentials := client.Credentials{Username: "load-" + rand.Text(), Password: fmt.Sprintf("%x", sha1.Sum([]byte(rand.Text())))}
	if err := c.CreateUser(ctx, credentials); err != nil {
		return loadResult{}, err
	}
	user := c
	if !l.keep {
		defer func() {
			// Also after Ctrl-C. Its rides go with the user.
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
			defer cancel()
			if err := user.DeleteUser(ctx, credentials.Username); err != nil {
				fmt.Fprintf(o.err, "rideshare: the user %s stays: %v\n", credentials.Username, err)
			}
		}()
	}
	session, err := c.CreateSession(ctx, credentials)
	if err != nil {
		return loadResult{}, err
	}
	user = c.As(session.Token)
	run := &loadRun{user: user, name: credentials.Username, bar: o.progress("offering rides", int64(l.rides))}
	run.left.Store(int64(l.rides))
	limited, cancel := context.WithTimeout(ctx, l.duration)
	defer cancel()
	var callers sync.WaitGroup
	for range l.concurrency {
		callers.Go(func() { run.call(ctx, limited) })
	}
	callers.Wait()
	took := run.bar.end()
	return loadResult{Seconds: seconds(took), Writes: run.writes.summary(), Reads: run.reads.summary()}, nil
}

// loadRun is what the callers of a load share.
type loadRun struct {
	user          *client.Client
	name          string
	bar           *progress
	left          atomic.Int64
	writes, reads samples
}

// call offers rides one after the other until none is left or limited ends. A request under way is
// answered: only ctx cuts it off.
func (r *loadRun) call(ctx, limited context.Context) {
	departs := time.Now().UTC().Add(24 * time.Hour).Format("02-01-2006:05-04-15")
	for limited.Err() == nil && r.left.Add(-1) >= 0 {
		begun := time.Now()
		ride, err := r.user.CreateRide(ctx, client.NewRide{CreatedBy: r.name, Timestamp: departs, Source: 1, Destination: 2})
		if ctx.Err() != nil {
			return // it was cut off, and has not failed
		}
		r.writes.add(time.Since(begun), err)
		r.bar.add(1)
		if err != nil {
			continue
		}
		begun = time.Now()
		got, err := r.user.GetRide(ctx, fmt.Sprint(ride.RideID))
		if ctx.Err() != nil {
			return
		}
		if err == nil && got == nil {
			err = fmt.Errorf("ride %d, which was acknowledged, is not there", ride.RideID)
		}
		r.reads.add(time.Since(begun), err)
	}
}

// samples are the times that requests took. Its methods may be called concurrently.
type samples struct {
	mu     sync.Mutex
	took   []time.Duration
	failed int
	why    error // of the last failure
}

func (s *samples) add(took time.Duration, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil {
		s.failed, s.why = s.failed+1, err
		return
	}
	s.took = append(s.took, took)
}

// latency is a summary of samples, in milliseconds.
type latency struct {
	Done   int     `json:"done"`
	Failed int     `json:"failed"`
	Why    string  `json:"why,omitempty"` // the last failure
	Median float64 `json:"median_ms"`
	P90    float64 `json:"p90_ms"`
	P99    float64 `json:"p99_ms"`
	Max    float64 `json:"max_ms"`
}

func (s *samples) summary() latency {
	l := latency{Done: len(s.took), Failed: s.failed}
	if s.why != nil {
		l.Why = s.why.Error()
	}
	if len(s.took) == 0 {
		return l
	}
	slices.Sort(s.took)
	at := func(share float64) float64 {
		return float64(s.took[min(int(share*float64(len(s.took))), len(s.took)-1)].Microseconds()) / 1000
	}
	l.Median, l.P90, l.P99, l.Max = at(0.5), at(0.9), at(0.99), at(1)
	return l
}

func (o *operator) printLoad(r loadResult) error {
	fmt.Fprintf(o.out, "%d rides in %.1f s: %.0f a second\n\n", r.Writes.Done, r.Seconds, float64(r.Writes.Done)/max(r.Seconds, 0.001))
	var t table
	t.add(plain, "", "DONE", "FAILED", "MEDIAN", "90%", "99%", "LONGEST")
	ms := func(v float64) string { return fmt.Sprintf("%.1f ms", v) }
	for _, line := range []struct {
		name string
		latency
	}{{"writes", r.Writes}, {"reads", r.Reads}} {
		t.add(plain, line.name, line.Done, line.Failed, ms(line.Median), ms(line.P90), ms(line.P99), ms(line.Max))
	}
	if err := t.print(o.out, o.coloured()); err != nil {
		return err
	}
	if why := cmp.Or(r.Writes.Why, r.Reads.Why); why != "" {
		fmt.Fprintln(o.err, "the last failure:", why)
	}
	return nil
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
