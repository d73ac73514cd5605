package mysql

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"testing"
	"time"

	"rideshare/internal/db"
	"rideshare/internal/replog"
	"rideshare/internal/store"
)

// short is a patience that tests need not wait long for.
const short = time.Second

// slack is what a busy machine adds to it.
const slack = 3 * time.Second

func insertUser(name string) []db.Op {
	return []db.Op{{Insert: "users", Values: map[string]db.Value{"username": name, "password_hash": "x"}}}
}

var countUsers = db.Read{Queries: []db.Query{{Table: "users", Count: true}}}

// commit commits one entry: a user, and the state.
func commit(ctx context.Context, s store.Store, seq uint64) error {
	tx, err := s.Begin(ctx)
	if err != nil {
		return err
	}
	defer tx.Rollback() //nolint:errcheck // it always returns nil
	if _, err := tx.Execute(ctx, insertUser(fmt.Sprint("user", seq))); err != nil {
		return err
	}
	return tx.Commit(ctx, store.Bookkeeping{State: replog.State{Seq: seq}})
}

func migrate(t *testing.T, s store.Store) {
	t.Helper()
	tx, err := s.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Execute(t.Context(), []db.Op{{Migrate: db.LatestMigration}}); err != nil {
		t.Fatal(err)
	}
	if err := tx.Commit(t.Context(), store.Bookkeeping{}); err != nil {
		t.Fatal(err)
	}
}

// holds checks that the database holds the entries up to seq, and returns the state's.
func holds(t *testing.T, s store.Store, atLeast, atMost uint64) uint64 {
	t.Helper()
	result, err := s.Read(t.Context(), countUsers)
	if err != nil {
		t.Fatal(err)
	}
	seq, users := result.Position.Seq, *result.Results[0].Count
	if seq < atLeast || seq > atMost || uint64(users) != seq {
		t.Fatalf("it is at %d with %d users, from %d to %d were committed", seq, users, atLeast, atMost)
	}
	return seq
}

// within fails where what it does takes longer.
func within(t *testing.T, what string, d time.Duration, do func()) {
	t.Helper()
	begun := time.Now()
	do()
	if took := time.Since(begun); took > d {
		t.Errorf("%s took %s, not %s", what, took, d)
	}
}

// TestKilled: a server that is killed in the middle of commits has, when it is started again, all
// that was acknowledged, and at most one more.
func TestKilled(t *testing.T) {
	server := newServer(t)
	config := Config{DSN: server.dsn(server.addr, server.schema(t))}
	s := open(t, config)
	migrate(t, s)
	seq := uint64(0)
	for range 3 {
		done := make(chan error, 1)
		acknowledged := seq
		underWay := make(chan struct{})
		go func() {
			for i := 0; ; i++ {
				if err := commit(t.Context(), s, acknowledged+1); err != nil {
					done <- err
					return
				}
				acknowledged++
				if i == 20 {
					close(underWay)
				}
			}
		}()
		<-underWay
		server.Kill(t)
		within(t, "the call", slack, func() { t.Log(<-done) })
		within(t, "Close", slack, func() { _ = s.Close() })
		server.Start(t)
		s = open(t, config)
		seq = holds(t, s, acknowledged, acknowledged+1)
	}
	if err := commit(t.Context(), s, seq+1); err != nil {
		t.Error(err)
	}
}

// TestPause is everything about a server that is paused.
func TestPause(t *testing.T) {
	server := newServer(t, inMemory)
	t.Run("calls fail", func(t *testing.T) { testPaused(t, server) })
	t.Run("comes back", func(t *testing.T) { testComesBack(t, server) })
}

// testPaused: while the server is paused every call fails within the patience; what was not
// committed is undone.
func testPaused(t *testing.T, server *server) {
	config := Config{DSN: server.dsn(server.addr, server.schema(t)), Patience: short}
	s := open(t, config)
	migrate(t, s)
	if err := commit(t.Context(), s, 1); err != nil {
		t.Fatal(err)
	}
	tx, err := s.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Execute(t.Context(), insertUser("undone")); err != nil {
		t.Fatal(err)
	}
	server.Pause(t)
	calls := map[string]func() error{
		"Commit": func() error { return tx.Commit(t.Context(), store.Bookkeeping{State: replog.State{Seq: 9}}) },
		"Begin":  func() error { _, err := s.Begin(t.Context()); return err },
		"Read":   func() error { _, err := s.Read(t.Context(), countUsers); return err },
		"State":  func() error { _, err := s.State(t.Context()); return err },
	}
	for _, name := range []string{"Commit", "Begin", "Read", "State"} {
		within(t, name, short+slack, func() {
			err := calls[name]()
			if err == nil {
				t.Errorf("%s of a paused server succeeded", name)
			}
			t.Log(name, ": ", err)
		})
	}
	within(t, "Close", slack, func() { _ = s.Close() })
	server.Unpause(t)
	s = open(t, config)
	// The commit had been sent when the server was paused, so either is right.
	result, err := s.Read(t.Context(), countUsers)
	if err != nil {
		t.Fatal(err)
	}
	if seq, users := result.Position.Seq, *result.Results[0].Count; (seq != 1 || users != 1) && (seq != 9 || users != 2) {
		t.Errorf("at %d with %d users", seq, users)
	}
}

// testComesBack: the store of a server that was paused serves again by itself.
func testComesBack(t *testing.T, server *server) {
	s := open(t, Config{DSN: server.dsn(server.addr, server.schema(t)), Patience: short})
	migrate(t, s)
	server.Pause(t)
	if _, err := s.State(t.Context()); err == nil || !strings.Contains(err.Error(), "has not answered for 1s") {
		t.Errorf("it says: %v", err)
	}
	server.Unpause(t)
	for commit(t.Context(), s, 1) != nil {
		if t.Context().Err() != nil {
			t.Fatal("it does not come back")
		}
	}
	holds(t, s, 1, 1)
}

// testSlow: a statement that takes longer than the patience is not a server that is silent.
func testSlow(t *testing.T, server *server) {
	schema := server.schema(t)
	s := open(t, Config{DSN: server.dsn(server.addr, schema), Patience: short})
	migrate(t, s)
	if err := commit(t.Context(), s, 1); err != nil {
		t.Fatal(err)
	}
	other, err := sql.Open("mysql", server.dsn(server.addr, ""))
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close() //nolint:errcheck // it locks, and stores nothing
	lock, err := other.Begin()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := lock.Exec("UPDATE " + schema + ".replica_state SET log_offset = 1"); err != nil {
		t.Fatal(err)
	}
	released := time.AfterFunc(2*short, func() { _ = lock.Rollback() })
	defer released.Stop()
	tx, err := s.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Execute(t.Context(), insertUser("user2")); err != nil {
		t.Fatal(err)
	}
	if err := tx.Commit(t.Context(), store.Bookkeeping{State: replog.State{Seq: 2}}); err != nil {
		t.Fatal(err)
	}
	holds(t, s, 2, 2)
}

// testCut: a connection that is lost breaks its transaction, and nothing else.
func testCut(t *testing.T, server *server) {
	p := newProxy(t, server.addr)
	s := open(t, Config{DSN: server.dsn(p.addr(), server.schema(t))})
	migrate(t, s)
	for step, do := range map[string]func(store.Tx) error{
		"execute": func(tx store.Tx) error { _, err := tx.Execute(t.Context(), insertUser("b")); return err },
		"commit":  func(tx store.Tx) error { return tx.Commit(t.Context(), store.Bookkeeping{}) },
	} {
		tx, err := s.Begin(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := tx.Execute(t.Context(), insertUser("a")); err != nil {
			t.Fatal(err)
		}
		p.cut()
		if err := do(tx); err == nil || !strings.Contains(err.Error(), "lost the connection") {
			t.Errorf("%s: %v", step, err)
		}
		if err := tx.Commit(t.Context(), store.Bookkeeping{}); err == nil {
			t.Error("a broken transaction was committed")
		}
		if err := tx.Rollback(); err != nil {
			t.Error(err)
		}
	}
	for range 2 * 4 { // each of the readers may find its connection lost, once
		_, _ = s.State(t.Context())
	}
	holds(t, s, 0, 0)
	if err := commit(t.Context(), s, 1); err != nil {
		t.Error(err)
	}
}

// testFence: a predecessor that was cut off without knowing it keeps no lock, and commits nothing.
func testFence(t *testing.T, server *server) {
	schema := server.schema(t)
	p := newProxy(t, server.addr)
	old := open(t, Config{DSN: server.dsn(p.addr(), schema), Patience: time.Hour})
	migrate(t, old)
	tx, err := old.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Execute(t.Context(), insertUser("user1")); err != nil {
		t.Fatal(err)
	}
	p.hush()
	successor := open(t, Config{DSN: server.dsn(server.addr, schema)})
	within(t, "the successor's write", slack, func() {
		if err := commit(t.Context(), successor, 1); err != nil {
			t.Error(err)
		}
	})
	p.resume()
	if err := tx.Commit(t.Context(), store.Bookkeeping{State: replog.State{Seq: 7}}); err == nil {
		t.Error("the predecessor has committed")
	}
	holds(t, successor, 1, 1)
}

// testRoundTrips: what the package says of them.
func testRoundTrips(t *testing.T, server *server) {
	p := newProxy(t, server.addr)
	s := open(t, Config{DSN: server.dsn(p.addr(), server.schema(t)), Patience: time.Hour})
	migrate(t, s)
	if err := commit(t.Context(), s, 1); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Read(t.Context(), countUsers); err != nil {
		t.Fatal(err)
	}
	expect := func(what string, want int) {
		t.Helper()
		if got := p.taken(); got != want {
			t.Errorf("%s takes %d round trips, not %d", what, got, want)
		}
	}
	p.taken()
	tx, err := s.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	expect("begin", 1)
	if _, err := tx.Sequences(t.Context()); err != nil {
		t.Fatal(err)
	}
	expect("sequences", 0)
	requests := make([][]db.Op, 256)
	b := store.Bookkeeping{State: replog.State{Seq: 257}, Sequences: db.Sequences{"rides": 1}, Expire: time.Now()}
	for i := range requests {
		requests[i] = append(insertUser(fmt.Sprint("user", i+2)),
			db.Op{Check: "users", Where: []db.Condition{db.Where("username", db.Eq, "user1")}, Expect: db.Rows(1)})
		b.Replies = append(b.Replies, store.StoredReply{ID: fmt.Sprint(i), At: time.Now(), Body: []byte("{}")})
	}
	if _, err := tx.Execute(t.Context(), requests...); err != nil {
		t.Fatal(err)
	}
	expect("a batch", 1)
	if err := tx.Commit(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	expect("commit", 1)
	for range 4 { // the other readers connect
		holds(t, s, 257, 257)
	}
	p.taken()
	holds(t, s, 257, 257)
	expect("a read", 1)
}
