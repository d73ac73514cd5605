package failover

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
	"go.uber.org/goleak"

	"rideshare/e2e/load"
	"rideshare/internal/cluster"
	"rideshare/internal/config"
	"rideshare/internal/db"
	"rideshare/internal/pairs"
	"rideshare/oneprocess"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	writers = 16
	readers = 16
)

// site is a running system in this process.
type site struct {
	*load.Site
	system *oneprocess.System
}

func start(t *testing.T) *site {
	t.Helper()
	c, err := config.Load[oneprocess.Config](nil)
	if err != nil {
		t.Fatal(err)
	}
	c.Data, c.CheapPasswords, c.Autoscale = t.TempDir(), true, false
	system, err := oneprocess.New(c, "test", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- system.Run(ctx) }()
	server := httptest.NewServer(system.Handler())
	s := &site{system: system, Site: &load.Site{
		TB: t, Ledger: load.NewLedger(), Target: load.NewTarget(server.URL, "", 2*(writers+readers)),
		Replicas: func(ctx context.Context) (map[string]string, error) { return system.Replicas(ctx) },
		Patience: 30 * time.Second,
	}}
	t.Cleanup(func() {
		s.Target.HTTP.CloseIdleConnections()
		server.Close()
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	s.Until("it is ready", func() bool { return system.Ready(t.Context()) == nil })
	s.Until("the topology is whole", s.Whole) // reads and writes are served before
	return s
}

// kill kills a part of the master or of a slave, as soon as one serves, and returns the epoch before.
func (s *site) kill(role cluster.Role, part pairs.Part) (epoch uint64, at time.Time) {
	s.Helper()
	var t cluster.Topology
	var victims []cluster.Worker
	s.Until(fmt.Sprintf("a %s serves", role), func() bool {
		var err error
		if t, err = s.Topology(); err != nil {
			s.Error(err)
		}
		for _, w := range t.Workers {
			if w.Role == role && w.State == cluster.Serving {
				victims = append(victims, w)
			}
		}
		return len(victims) > 0
	})
	victim := victims[rand.IntN(len(victims))]
	at = time.Now()
	if err := s.system.Pairs().Kill(s.Context(), victim.Pair, part); err != nil {
		s.Logf("kill: %v", err) // it was replaced at this moment
		return 0, time.Time{}
	}
	return t.Epoch, at
}

func TestKillsUnderLoad(t *testing.T) {
	s := start(t)
	rounds := 30
	if testing.Short() {
		rounds = 6
	}
	s.UnderLoad(writers, readers, func() {
		s.Within(3, func() error {
			failovers := s.kills(rounds)
			slices.Sort(failovers)
			if len(failovers) < rounds/3 {
				t.Fatalf("only %d failovers", len(failovers))
			}
			median := failovers[len(failovers)/2]
			t.Logf("from the kill to the next acknowledged write: median %v, longest %v, of %d", median, failovers[len(failovers)-1], len(failovers))
			if median > slowest {
				return fmt.Errorf("the median is %v, wanted are at most %v: %v", median, slowest, failovers)
			}
			return nil
		})
	})
	s.NoneFailed()
	s.Verdict()
}

// kills kills one part each second, and returns how long it took after each master's end until the
// next write was acknowledged.
func (s *site) kills(rounds int) (failovers []time.Duration) {
	s.Helper()
	for round := range rounds {
		next := time.After(time.Second)
		<-time.After(time.Duration(rand.IntN(900)) * time.Millisecond) // a random moment of this second
		role, part := cluster.Master, pairs.WorkerPart
		if round >= rounds*2/3 {
			role = cluster.Slave
		}
		if round%4 == 3 {
			part = pairs.DatabasePart
		}
		epoch, at := s.kill(role, part)
		if role == cluster.Master && !at.IsZero() {
			s.Until("a write is acknowledged again", func() bool {
				ack, ok := s.Ledger.FirstAfter(epoch)
				if ok {
					failovers = append(failovers, ack.At.Sub(at))
				}
				return ok
			})
		}
		<-next
	}
	return failovers
}

func TestLinearizable(t *testing.T) {
	s := start(t)
	seconds := 10
	if testing.Short() {
		seconds = 4
	}
	if _, err := s.Target.Write(t.Context(), db.Op{Insert: "users", Values: map[string]any{"username": "r", "password_hash": "none"}}); err != nil {
		t.Fatal(err)
	}
	registers, err := load.NewRegisters(t.Context(), s.Target, "r", 5)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	var clients sync.WaitGroup
	for id := range 10 {
		clients.Go(func() { registers.Client(ctx, s.Target, s.Ledger, id) })
	}
	// A verdict on few operations says little; a slow machine needs longer for them.
	const enough, longest = 500, 60
	for n := 0; n < seconds || registers.Operations() < enough && n < longest; n++ {
		<-time.After(time.Second)
		s.kill(cluster.Master, pairs.WorkerPart)
	}
	stop()
	clients.Wait()
	requests, failures := s.Ledger.Failures()
	if len(failures) > 0 {
		t.Errorf("%d of %d requests failed: %s", len(failures), requests, failures[0])
	}
	verdict, operations := registers.Check(time.Minute)
	t.Logf("%d operations: %s", operations, verdict)
	if verdict != porcupine.Ok || operations < enough {
		t.Errorf("the verdict on %d operations is %s", operations, verdict)
	}
}

// A planned change of master costs a short wait, too, and no request.
func TestSwitchoverUnderLoad(t *testing.T) {
	s := start(t)
	var longest time.Duration
	s.UnderLoad(writers, readers, func() {
		for range 5 {
			<-time.After(300 * time.Millisecond)
			before, err := s.Topology()
			if err != nil {
				t.Error(err)
			}
			epoch, at := before.Epoch, time.Now()
			a, err := s.Target.Must(t.Context(), http.StatusOK, http.MethodPost, "/cluster/switchover", map[string]any{})
			if err != nil {
				t.Errorf("%v: %s", err, a.Body)
			}
			s.Until("a write is acknowledged again", func() bool {
				ack, ok := s.Ledger.FirstAfter(epoch)
				if ok {
					longest = max(longest, ack.At.Sub(at))
				}
				return ok
			})
		}
	})
	t.Logf("from the command to the next master's first acknowledged write: longest %v", longest)
	s.NoneFailed()
	s.Verdict()
}

// Everything dies at once, and starts again from what is on disk.
func TestAllAtOnce(t *testing.T) {
	s := start(t)
	s.UnderLoad(writers, readers, func() {
		<-time.After(time.Second)
		before, err := s.Topology()
		if err != nil {
			t.Error(err)
		}
		for _, w := range before.Workers {
			for _, part := range []pairs.Part{pairs.DatabasePart, pairs.WorkerPart} {
				if err := s.system.Pairs().Kill(t.Context(), w.Pair, part); err != nil {
					t.Logf("kill: %v", err)
				}
			}
		}
		s.Until("the topology is whole again", s.Whole)
		<-time.After(500 * time.Millisecond)
	})
	s.NoneFailed()
	s.Verdict()
}
