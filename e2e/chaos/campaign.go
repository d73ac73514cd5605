package chaos

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"
)

const (
	perPause = 10 // faults, after which the invariants are checked
	calm     = 500 * time.Millisecond
)

// campaign goes through a plan.
type campaign struct {
	*injector
	clients  *clients
	recorder *recorder
	folder   string // for what is drawn
	judged   int    // pauses
	most     int    // faults after which it ends; 0: it has its time

	violations []Violation
}

// run breaks things until the time is over, enough is broken, a violation is found, or ctx ends, which is
// an error.
func (c *campaign) run(ctx context.Context, plan []Step, lasts time.Duration) error {
	working, stop := context.WithCancel(ctx)
	defer stop()
	wait, err := c.clients.run(ctx, working)
	if err != nil {
		return fmt.Errorf("the clients: %w", err)
	}
	defer wait()
	defer stop()
	begun, faults := time.Now(), 0
	for n, step := range plan {
		if time.Since(begun) >= lasts || c.most > 0 && faults >= c.most {
			break
		}
		last(ctx, calm)
		reports, err := c.step(ctx, step)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			c.violations = append(c.violations, Violation{Kind: NeverWhole, What: err.Error(), History: c.lastSteps()})
			return nil
		}
		c.Logf("%7s  step %d: %s", time.Since(begun).Round(time.Second), n+1, progress(reports))
		before := faults
		for _, r := range reports {
			if r.NotInjected == nil {
				faults++
			}
		}
		if faults/perPause > before/perPause {
			if err := c.pause(ctx, false); err != nil || len(c.violations) > 0 {
				return err
			}
		}
	}
	stop()
	wait()
	return c.pause(ctx, true)
}

// step makes the faults of a step at the same time, and waits until everything serves again.
func (c *campaign) step(ctx context.Context, step Step) ([]Report, error) {
	targets := make([]target, len(step))
	reports := make([]Report, len(step))
	for i, f := range step {
		reports[i].Fault = f
		targets[i], reports[i].NotInjected = c.aim(f)
	}
	c.recorder.enter(step)
	ended := make([]time.Time, len(step))
	var injecting sync.WaitGroup
	var mu sync.Mutex
	var failed error // to take back
	var gone []string
	for i, t := range targets {
		if reports[i].NotInjected != nil {
			continue
		}
		injecting.Go(func() {
			err := c.inject(ctx, t)
			mu.Lock()
			defer mu.Unlock()
			ended[i] = time.Now()
			switch {
			case errors.Is(err, errNotInjected):
				reports[i].NotInjected = err
			case err != nil:
				failed = errors.Join(failed, fmt.Errorf("%v: %w", t.Fault, err))
			case t.worker != "":
				gone = append(gone, t.worker)
			}
		})
	}
	injecting.Wait()
	err := failed
	if err == nil {
		err = c.whole(ctx, gone...)
	}
	for i := range reports {
		if reports[i].NotInjected == nil {
			reports[i].Recovery = time.Since(ended[i])
		}
	}
	c.recorder.report(reports)
	c.recorder.enter(nil)
	return reports, err
}

func progress(reports []Report) string {
	var parts []string
	for _, r := range reports {
		if r.NotInjected != nil {
			parts = append(parts, fmt.Sprintf("%v: NOT INJECTED: %v", r.Fault, r.NotInjected))
		} else {
			parts = append(parts, fmt.Sprintf("%v: whole again after %v", r.Fault, ms(r.Recovery)))
		}
	}
	return strings.Join(parts, "; ")
}

// pause stops the clients, and compares what they were told with what is there.
func (c *campaign) pause(ctx context.Context, end bool) error {
	c.clients.gate.Lock() // when what they have begun is done
	defer c.clients.gate.Unlock()
	begun := time.Now()
	state, err := c.clients.state(ctx, c.injector)
	if err != nil {
		return fmt.Errorf("reading what is there: %w", err)
	}
	c.recorder.look(func(_ []Phase, attempts []Attempt, operations []Operation, h History) {
		c.violations = append(c.violations, Judge(h, state)...)
		failed := 0
		for _, a := range attempts {
			if a.Failure != "" {
				failed++
			}
		}
		c.Logf("         %d operations in %d requests, %d of which failed; %d writes, %d retries of answered ones, %d looks of sessions; %d rows on %d replicas",
			len(operations), len(attempts), failed, len(h.Writes), len(h.Retries), len(h.Seen), len(state.Rows), len(state.Sums))
	})
	c.judged++
	history := c.clients.registersOf.History()
	c.violations = append(c.violations, JudgeRegisters(history, c.folder, fmt.Sprint("pause-", c.judged))...)
	c.recorder.add(func(h *History) { h.Registers += len(history) })
	c.Logf("         %d operations on registers; %d violations; judged in %v", len(history), len(c.violations), ms(time.Since(begun)))
	if end {
		return nil
	}
	return c.clients.newRegisters(ctx)
}

// lastSteps tells what was broken last.
func (c *campaign) lastSteps() (told []string) {
	c.recorder.look(func(phases []Phase, _ []Attempt, _ []Operation, _ History) {
		for _, p := range phases[max(0, len(phases)-7):] {
			if !p.calm() {
				told = append(told, fmt.Sprintf("%v: %v", ms(p.Begun), p.Step))
			}
		}
	})
	return told
}
