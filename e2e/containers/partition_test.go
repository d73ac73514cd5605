package containers

import (
	"context"
	"errors"
	"flag"
	"slices"
	"strings"
	"testing"
	"time"

	"rideshare/e2e/compose"
	"rideshare/e2e/load"
	"rideshare/e2e/netcut"
	"rideshare/e2e/report"
	"rideshare/e2e/stack"
	"rideshare/internal/cluster"
)

var (
	cutFor  = flag.String("cuts", "15s", "how long TestPartitions cuts, several times with commas between")
	cutOnly = flag.String("cut", "the leader of the writes, both ways;all from each other;the master from all RabbitMQs", "which cases TestPartitions plays, with semicolons between, or all")
)

const (
	// majorityBound is how soon writes go on where most RabbitMQs reach each other and the rest:
	// net_ticktime is 5 s, so that a silent node is given up after 5 to 7 s.
	majorityBound = 12 * time.Second
	// healedBound is how soon writes go on after the network is whole again.
	healedBound = 3 * time.Second
	// afterwards is for how long the healed network is watched: nodes that find each other again elect.
	afterwards = 15 * time.Second
)

// partition is a way to cut the network of `make up-ha`.
type partition struct {
	name string
	// majority: writes have to go on during the cut.
	majority bool
	cut      func(*site) ([]compose.CutOff, error)
}

func partitions() []partition {
	var all []partition
	for _, part := range []struct {
		name string
		find func(*site) (string, error)
	}{
		{"the leader of the log", func(s *site) (string, error) { return s.LeaderOf(syncLog) }},
		{"the leader of the writes", func(s *site) (string, error) { return s.LeaderOf(writeQueue) }},
		{"a RabbitMQ that leads neither", (*site).leaderOfNeither},
	} {
		for _, way := range []netcut.Way{netcut.Both, netcut.Out, netcut.In} {
			name := map[netcut.Way]string{netcut.Both: "both ways", netcut.Out: "outbound", netcut.In: "inbound"}[way]
			all = append(all, partition{part.name + ", " + name, true, func(s *site) ([]compose.CutOff, error) {
				service, err := part.find(s)
				if err != nil {
					return nil, err
				}
				c, err := s.CutServices(service, way, compose.Brokers()...)
				return []compose.CutOff{c}, err
			}})
		}
	}
	return append(all,
		partition{"all from each other", false, func(s *site) ([]compose.CutOff, error) {
			one, err := s.CutServices("rabbitmq", netcut.Both, compose.Brokers()...)
			two, err2 := s.CutServices("rabbitmq2", netcut.Both, compose.Brokers()...)
			return []compose.CutOff{one, two}, errors.Join(err, err2)
		}},
		partition{"the leader of the writes from everything", true, func(s *site) ([]compose.CutOff, error) {
			service, err := s.LeaderOf(writeQueue)
			if err != nil {
				return nil, err
			}
			return s.fromEverything(s.Service(service))
		}},
		partition{"the master from two RabbitMQs", true, func(s *site) ([]compose.CutOff, error) {
			return s.masterFrom(compose.Brokers()[:2]...)
		}},
		partition{"the master from all RabbitMQs", true, func(s *site) ([]compose.CutOff, error) { return s.masterFrom(compose.Brokers()...) }},
		partition{"the master from all ZooKeepers", true, func(s *site) ([]compose.CutOff, error) { return s.masterFrom(compose.Keepers()...) }},
		partition{"the master from everything", true, func(s *site) ([]compose.CutOff, error) {
			return s.fromEverything(s.Pick(cluster.Master).WorkerContainer)
		}},
		partition{"the leading ZooKeeper from the others", true, func(s *site) ([]compose.CutOff, error) {
			leader, err := s.Keeper("leader")
			if err != nil {
				return nil, err
			}
			c, err := s.CutServices(leader, netcut.Both, compose.Keepers()...)
			return []compose.CutOff{c}, err
		}},
	)
}

const (
	syncLog    = "rideshare.sync"
	writeQueue = "rideshare.writes"
)

func (s *site) leaderOfNeither() (string, error) {
	log, err := s.LeaderOf(syncLog)
	writes, err2 := s.LeaderOf(writeQueue)
	for _, b := range compose.Brokers() {
		if b != log && b != writes {
			return b, errors.Join(err, err2)
		}
	}
	return "", errors.Join(err, err2)
}

func (s *site) fromEverything(container string) ([]compose.CutOff, error) {
	all, err := s.Everything()
	return []compose.CutOff{{Container: container, Peers: all, Way: netcut.Both}}, err
}

func (s *site) masterFrom(services ...string) ([]compose.CutOff, error) {
	s.Helper()
	c := compose.CutOff{Container: s.Pick(cluster.Master).WorkerContainer, Way: netcut.Both}
	for _, service := range services {
		c.Peers = append(c.Peers, s.Service(service))
	}
	return []compose.CutOff{c}, nil
}

// TestPartitions cuts nodes of `make up-ha` off from each other under load. Clients retry under
// their Idempotency-Key, as documented: each of their writes is answered, and is there once.
func TestPartitions(t *testing.T) {
	folder := t.TempDir()
	if err := netcut.Build("../..", folder); err != nil {
		t.Fatal(err)
	}
	s := start(t, "RIDESHARE_HA=true")
	t.Cleanup(func() { // before the site ends: what holds on to its parts
		out, err := stack.Docker("ps", "-aq", "--filter", "label="+netcut.Label+"="+s.Project)
		if err == nil && out != "" {
			_, err = stack.Docker(append([]string{"rm", "-fv"}, strings.Fields(out)...)...)
		}
		if err != nil {
			t.Error(err)
		}
	})
	s.Patience = 3 * time.Minute
	s.Target.Persist = 2 * time.Minute
	table := report.Table{Columns: []string{
		"what is cut off, of three nodes each, under 8 writers + 8 readers", "for", "writes", "first tries that failed",
		"until writes go on", "pauses while it is cut, in all", "longest pause after its end",
	}}
	s.UnderLoad(haWriters, haReaders, func() {
		for _, p := range partitions() {
			if *cutOnly != "all" && !slices.Contains(strings.Split(*cutOnly, ";"), p.name) {
				continue
			}
			for lasts := range strings.SplitSeq(*cutFor, ",") {
				d, err := time.ParseDuration(lasts)
				if err != nil {
					t.Fatal(err)
				}
				s.partition(p, d, &table)
			}
		}
	})
	t.Logf("\n%s", table.Markdown())
	requests, failures := s.Ledger.Failures()
	t.Logf("%d requests, %d failed at first", requests, len(failures))
	s.Verdict()
	publishAs(t, "partitions", "make partitions", table)
}

// partition cuts once, and checks when writes go on.
func (s *site) partition(p partition, lasts time.Duration, table *report.Table) {
	s.Helper()
	s.await("the topology is whole", s.Whole)
	cutOffs, err := p.cut(s)
	if err != nil {
		s.Fatal(err)
	}
	cuts, err := s.Cuts(lasts, cutOffs...)
	if err != nil {
		s.Fatal(err)
	}
	writes, failed := s.Ledger.Rides(), s.failed()
	wait, err := compose.Begin(context.Background(), cuts)
	if err != nil {
		s.Fatal(err)
	}
	begun := time.Now()
	s.tellTopology(begun.Add(lasts / 2))
	if err := wait(); err != nil {
		s.Fatal(err)
	}
	healed := time.Now()
	s.await("a write after the cut", func() bool { return s.Ledger.Last().After(healed) })
	after(afterwards)
	gaps := s.Ledger.Gaps(begun, time.Now())
	c := pausesOf(begun, healed, gaps)
	s.Logf("%s for %v: gaps %v; %d writes", p.name, lasts, gaps, s.Ledger.Rides()-writes)
	if p.majority && (c.resumed > majorityBound || c.total > majorityBound) {
		s.Errorf("%s for %v: writes went on %v after the cut, and paused for %v; at most %v are allowed", p.name, lasts, c.resumed, c.total, majorityBound)
	}
	if c.later > healedBound {
		s.Errorf("%s for %v: writes paused for %v after its end; at most %v are allowed", p.name, lasts, c.later, healedBound)
	}
	table.Add(p.name, lasts, s.Ledger.Rides()-writes, s.failed()-failed, c.resumed, c.total, c.later)
}

// pauses are how writes pause because of a cut.
type pauses struct {
	resumed time.Duration // from the beginning of the cut until the end of the first pause
	total   time.Duration // of all pauses while it lasts
	later   time.Duration // the longest one after its end; of one that began before, what is left
}

func pausesOf(begun, healed time.Time, gaps []load.Gap) (p pauses) {
	for _, g := range gaps {
		if g.From.Before(healed) {
			end := g.To
			if end.After(healed) {
				end = healed
			}
			if p.resumed == 0 {
				p.resumed = end.Sub(begun)
			}
			p.total += end.Sub(g.From)
		}
		switch {
		case g.From.After(healed): // as nodes find each other again
			p.later = max(p.later, g.To.Sub(g.From))
		case g.To.After(healed):
			p.later = max(p.later, g.To.Sub(healed))
		}
	}
	return p
}

func TestPauses(t *testing.T) {
	begun := time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
	at := func(seconds int) time.Time { return begun.Add(time.Duration(seconds) * time.Second) }
	for name, c := range map[string]struct {
		gaps []load.Gap
		want pauses
	}{
		"none":              {nil, pauses{}},
		"one":               {[]load.Gap{{From: at(1), To: at(9)}}, pauses{9 * time.Second, 8 * time.Second, 0}},
		"two":               {[]load.Gap{{From: at(1), To: at(5)}, {From: at(10), To: at(12)}}, pauses{5 * time.Second, 6 * time.Second, 0}},
		"beyond its end":    {[]load.Gap{{From: at(1), To: at(17)}}, pauses{15 * time.Second, 14 * time.Second, 2 * time.Second}},
		"only after it":     {[]load.Gap{{From: at(20), To: at(21)}}, pauses{0, 0, time.Second}},
		"twice after it":    {[]load.Gap{{From: at(14), To: at(16)}, {From: at(20), To: at(23)}}, pauses{15 * time.Second, time.Second, 3 * time.Second}},
		"all of it and yet": {[]load.Gap{{From: at(0), To: at(40)}}, pauses{15 * time.Second, 15 * time.Second, 25 * time.Second}},
	} {
		if got := pausesOf(begun, at(15), c.gaps); got != c.want {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
	}
}

// tellTopology logs what the system says of itself at that time.
func (s *site) tellTopology(at time.Time) {
	s.Helper()
	after(time.Until(at))
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
	defer cancel()
	a, err := s.Target.Call(ctx, "GET", "/cluster", nil)
	s.Logf("the topology: %.1500s %v", a.Body, err)
}

func (s *site) failed() int {
	_, failures := s.Ledger.Failures()
	return len(failures)
}
