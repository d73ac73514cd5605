package containers

import (
	"flag"
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"rideshare/e2e/compose"
	"rideshare/e2e/load"
	"rideshare/e2e/report"
	"rideshare/e2e/stack"
	"rideshare/internal/cluster"
)

var (
	kills = flag.Int("kills", 5, "how many masters TestFailover kills")
	into  = flag.String("into", "", "the page of the documentation that the figures are written into")
)

// What is wanted of a machine whose two processors are there for the test. Those of a single event hold
// for the worst of all.
const (
	medianWanted   = 500 * time.Millisecond  // from the kill to the next acknowledged write
	worstWanted    = 1500 * time.Millisecond // the same
	registryWanted = 2 * time.Second         // the same, without the engine's events
	restartWanted  = 10 * time.Second        // a pair that was killed serves again

	// switchoverWanted is the longest wait of any writer in a switchover, the median of them. It is checked
	// where figures are published: without a switchover it can be longer on processors that are shared.
	switchoverWanted = 100 * time.Millisecond
	pause            = 200 * time.Millisecond // of each client there
)

// TestFailover measures, under load: kills of the master with the engine's events and without,
// planned changes of master, and the return of a pair.
func TestFailover(t *testing.T) {
	processors := processors(t) // before there is anything of ours
	s := start(t)
	share := min(processors, s.engine())
	table := report.Table{Columns: []string{"what, under 16 writers + 16 readers where nothing else is said", "median", "longest", "of"}}
	add := func(what string, times []time.Duration) {
		slices.Sort(times)
		table.Add(what, times[len(times)/2], times[len(times)-1], len(times))
	}
	of := func(wanted time.Duration) time.Duration { return time.Duration(float64(wanted) / share) }
	// bounded adds what keeps to the bounds, of which 0 is none.
	bounded := func(what string, medianWanted, longestWanted time.Duration, measure func() []time.Duration) {
		s.Helper()
		var times []time.Duration
		s.Within(tries(), func() error {
			times = measure()
			slices.Sort(times)
			if median := times[len(times)/2]; medianWanted > 0 && median > of(medianWanted) {
				return fmt.Errorf("%s: the median is %v, wanted is at most %v: %v", what, median, of(medianWanted), times)
			}
			if longest := times[len(times)-1]; longestWanted > 0 && longest > of(longestWanted) {
				return fmt.Errorf("%s: the longest is %v, wanted is at most %v: %v", what, longest, of(longestWanted), times)
			}
			return nil
		})
		add(what, times)
	}
	s.UnderLoad(writers, readers, func() {
		var noticed, restored []time.Duration
		killed := "`docker kill` of the master, to the next acknowledged write"
		if *into == "" {
			killed += ", without what the engine takes"
		}
		bounded(killed, medianWanted, worstWanted, func() (unplanned []time.Duration) {
			noticed, unplanned, restored = s.kills(*kills)
			if *into == "" { // how fast the engine is does not depend on us
				return minus(unplanned, noticed)
			}
			return unplanned
		})
		add("`docker kill` of the master, until the engine tells of the death", noticed)
		add("the same, to 1 + 2 serving again", restored)

		var planned []time.Duration
		for range *kills {
			took, _ := s.switchover()
			planned = append(planned, took)
		}
		add("switchover, from the command to the next master's first acknowledged write", planned)
	})
	s.Target.Pause = pause
	s.UnderLoad(writers, readers, func() {
		calm := s.longestWait(func() { after(5 * time.Second) })
		add("the longest wait of any writer, each of which pauses for 200 ms, in 5 s", []time.Duration{calm})
		wanted := switchoverWanted
		if *into == "" {
			wanted = 0
		}
		bounded("the same, in half a second with a switchover", wanted, 0, func() (waits []time.Duration) {
			for range *kills {
				_, wait := s.switchover()
				waits = append(waits, wait)
			}
			return waits
		})
	})
	s.Target.Pause = 0
	if err := s.Target.Fill(t.Context(), s.Ledger, 10_000); err != nil {
		t.Fatal(err)
	}
	// back measures how long a slave takes to serve again after what happens to it.
	back := func(fault func(compose.Pair)) func() []time.Duration {
		return func() (times []time.Duration) {
			for range max(1, *kills/4) {
				slave := s.Pick(cluster.Slave)
				begun := time.Now()
				fault(slave)
				s.backAfter(slave)
				times = append(times, time.Since(begun))
			}
			return times
		}
	}
	bounded("without load: kill of a slave and its database with 10,000 rides and more, to 1 + 2 serving again", 0, restartWanted, back(func(p compose.Pair) {
		s.Do("kill", p.WorkerContainer)
		s.Do("kill", p.DatabaseContainer)
	}))
	bounded("the same, when its volume is gone too", 0, restartWanted, back(s.Destroy))
	s.Env = append(s.Env, "RIDESHARE_DOCKER_EVENTS=false")
	if out, err := s.Run(t.Context(), "deploy/compose", "up", "-d", "watcher"); err != nil {
		t.Fatalf("restarting the watcher: %v\n%s", err, out)
	}
	s.UnderLoad(writers, readers, func() {
		bounded("`docker kill` of the master without the engine's events, to the next acknowledged write", 0, registryWanted, func() []time.Duration {
			_, unplanned, _ := s.kills(max(1, *kills/2))
			return unplanned
		})
	})
	s.NoneFailed()
	s.Verdict()
	requests, failures := s.Ledger.Failures()
	total := report.Table{Columns: []string{"requests meanwhile", "failed", "rides acknowledged, each there once"}}
	total.Add(requests, len(failures), s.Ledger.Rides())
	t.Logf("\n%s\n%s", table.Markdown(), total.Markdown())
	publish(t, "failover", table, total)
}

// processors returns the part of the processors that is there for the test, in which proportion its bounds
// of time grow where the host or other programs take the rest. Figures to be published get no such
// allowance.
func processors(t *testing.T) float64 {
	if *into != "" {
		return 1
	}
	s := load.Share()
	t.Logf("this test has %.0f %% of the processors", 100*s)
	return s
}

// oneContainer is how long the engine of the machine takes for a container that ends at once, from its
// creation to its removal: see docs/measurements.md.
const oneContainer = 400 * time.Millisecond

// engine returns how fast the machine's engine is, as a part of the speed that the bounds are meant for: what
// it does to end and to start containers is part of what they bound. It is like processors.
func (s *site) engine() float64 {
	s.Helper()
	if *into != "" {
		return 1
	}
	var times []time.Duration
	for range 5 {
		begun := time.Now()
		if _, err := stack.Docker("run", "--rm", "--network", "none", "rideshare/worker:dev", "--help"); err != nil {
			s.Fatal(err)
		}
		times = append(times, time.Since(begun))
	}
	slices.Sort(times)
	speed := min(1, float64(oneContainer)/float64(times[len(times)/2]))
	s.Logf("the engine takes %v for a container: %.0f %% of the speed that is expected", times[len(times)/2], 100*speed)
	return speed
}

// tries is how often a figure that exceeds its bound is measured anew: not at all where it is to be
// published.
func tries() int {
	if *into == "" {
		return 3
	}
	return 1
}

// publish writes tables into the page of the documentation, where one is named.
func publish(t *testing.T, name string, tables ...report.Table) {
	publishAs(t, name, "make failover", tables...)
}

func publishAs(t *testing.T, name, command string, tables ...report.Table) {
	if *into == "" || t.Failed() {
		return
	}
	if err := report.Update(*into, name, command, tables...); err != nil {
		t.Error(err)
	}
}

// kills kills masters, and returns how long it took until the engine told of the death, until the next
// write was acknowledged, and until everything served again.
func (s *site) kills(n int) (noticed, acknowledged, whole []time.Duration) {
	s.Helper()
	for range n {
		s.Until("the topology is whole", s.Whole)
		master := s.Pick(cluster.Master)
		begun := time.Now()
		s.Do("kill", master.WorkerContainer)
		acknowledged = append(acknowledged, s.failover(master.Epoch, begun))
		s.backAfter(master)
		whole = append(whole, time.Since(begun))
		death, err := stack.Death(master.WorkerContainer, begun)
		if err != nil {
			s.Fatal(err)
		}
		noticed = append(noticed, death.Sub(begun))
	}
	return noticed, acknowledged, whole
}

// minus returns the differences of times.
func minus(times, others []time.Duration) []time.Duration {
	differences := slices.Clone(times)
	for i := range differences {
		differences[i] -= others[i]
	}
	return differences
}

// switchover changes the master, and returns how long it took until the next one's first acknowledged
// write, and the longest that any writer waited in the half second from the command on.
func (s *site) switchover() (took, wait time.Duration) {
	s.Helper()
	epoch := s.Pick(cluster.Master).Epoch
	wait = s.longestWait(func() {
		begun := time.Now()
		if _, err := s.Target.Must(s.Context(), http.StatusOK, http.MethodPost, "/cluster/switchover", map[string]any{}); err != nil {
			s.Error(err)
		}
		took = s.failover(epoch, begun)
		after(500*time.Millisecond - time.Since(begun))
	})
	s.Until("the topology is whole again", s.Whole)
	return took, wait
}

// backAfter waits until everything serves again, without that very worker.
func (s *site) backAfter(p compose.Pair) {
	s.Helper()
	s.Until("everything serves without "+p.ID, func() bool { return s.WholeWithout(p.ID) })
}

// longestWait returns the longest that any writer waited for what was acknowledged meanwhile.
func (s *site) longestWait(f func()) time.Duration {
	s.Helper()
	begun := time.Now()
	f()
	waits := s.Ledger.Waits(begun)
	if len(waits) == 0 {
		s.Fatal("no write was acknowledged")
	}
	return waits[len(waits)-1]
}
