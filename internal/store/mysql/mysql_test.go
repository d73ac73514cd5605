package mysql

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"go.uber.org/goleak"

	"rideshare/internal/db"
	"rideshare/internal/store/storetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestServer is everything that leaves its server as it is.
func TestServer(t *testing.T) {
	s := newServer(t, inMemory)
	t.Run("store", func(t *testing.T) {
		storetest.Run(t, storetest.Features{DDLCommits: true, BoundsLarge: true}, s.create)
	})
	for name, test := range map[string]func(*testing.T, *server){
		"refused": testRefused, "least privileges": testLeastPrivileges, "slow": testSlow, "cut": testCut,
		"fence": testFence, "round trips": testRoundTrips, "shared reads": testShared,
	} {
		t.Run(name, func(t *testing.T) { test(t, s) })
	}
}

func BenchmarkStore(b *testing.B) {
	s := newServer(b)
	storetest.Benchmark(b, s.create, func() time.Duration { return s.processorTime(b) })
}

// FuzzLiteral: a value in a statement is a number or a hexadecimal string, whatever it is.
func FuzzLiteral(f *testing.F) {
	f.Add("'; DROP TABLE users; --", int64(-1))
	f.Add("\\' \x00 /* ` \" ?", int64(0))
	hexadecimal, decimal := regexp.MustCompile(`^(_utf8mb4 )?x'[0-9a-f]*'$`), regexp.MustCompile(`^-?[0-9]+$`)
	f.Fuzz(func(t *testing.T, s string, n int64) {
		for _, v := range []any{s, []byte(s)} {
			if got := string(literal(nil, v)); !hexadecimal.MatchString(got) {
				t.Errorf("%q became %s", s, got)
			}
		}
		for _, v := range []any{n, int(n), uint64(n)} {
			if got := string(literal(nil, v)); !decimal.MatchString(got) || got != fmt.Sprint(v) {
				t.Errorf("%v became %s", v, got)
			}
		}
	})
}

// testRefused: what does not go away by waiting is said at once, with what to do.
func testRefused(t *testing.T, s *server) {
	schema := s.schema(t)
	err := s.exec(t.Context(), "CREATE USER weak IDENTIFIED BY 'weak'", "GRANT SELECT ON "+schema+".* TO weak")
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		dsn   string
		want  error
		words string
	}{
		"wrong password": {"root:wrong@tcp(" + s.addr + ")/" + schema, ErrRefused, "check the user and the password"},
		"no schema":      {s.dsn(s.addr, "nosuch"), ErrRefused, "create the schema"},
		"no rights":      {"weak:weak@tcp(" + s.addr + ")/" + schema, ErrRefused, "grant the user"},
		"other schema":   {"weak:weak@tcp(" + s.addr + ")/mysql", ErrRefused, "grant the user"},
		"no DSN":         {"", nil, "has to name a user and a schema"},
		"bad DSN":        {"root:hidden@nowhere", nil, "DSN"},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			_, err := Open(ctx, Config{DSN: test.dsn})
			switch {
			case err == nil || ctx.Err() != nil:
				t.Fatalf("after waiting for %v: %v", ctx.Err(), err)
			case test.want != nil && !errors.Is(err, test.want):
				t.Errorf("%v is not %v", err, test.want)
			case !strings.Contains(err.Error(), test.words), strings.Contains(err.Error(), "hidden"):
				t.Errorf("it says: %v", err)
			}
		})
	}
	t.Run("unsafe settings", func(t *testing.T) {
		if err := s.exec(t.Context(), "SET GLOBAL innodb_flush_log_at_trx_commit = 2"); err != nil {
			t.Fatal(err)
		}
		_, err := Open(t.Context(), Config{DSN: s.dsn(s.addr, schema)})
		if !errors.Is(err, ErrSettings) || !strings.Contains(err.Error(), "innodb_flush_log_at_trx_commit is 2") {
			t.Errorf("%v", err)
		}
		if err := s.exec(t.Context(), "SET GLOBAL innodb_flush_log_at_trx_commit = 1"); err != nil {
			t.Fatal(err)
		}
	})
}

// testShared: reads that wait at the same time share a round trip, and one that the server refuses
// fails alone.
func testShared(t *testing.T, server *server) {
	p := newProxy(t, server.addr)
	s := open(t, Config{DSN: server.dsn(p.addr(), server.schema(t)), Patience: time.Hour})
	migrate(t, s)
	if err := commit(t.Context(), s, 1); err != nil {
		t.Fatal(err)
	}
	const callers, each = 32, 20
	all := func(name func(i int) string) int {
		p.taken()
		var reads sync.WaitGroup
		for caller := range callers {
			reads.Go(func() {
				for i := range each {
					asked := name(caller + i)
					got, err := s.Read(t.Context(), db.Read{Queries: []db.Query{
						{Table: "users", Columns: []string{"username"}, Where: []db.Condition{db.Where("username", db.Eq, asked)}},
					}})
					if utf8.ValidString(asked) != (err == nil) {
						t.Errorf("the read of %q: %v", asked, err)
					} else if err == nil && (len(got.Results[0].Rows) != 1 || got.Results[0].Rows[0].Text("username") != asked) {
						t.Errorf("the read of %q: %v", asked, got)
					}
				}
			})
		}
		reads.Wait()
		return p.taken()
	}
	if n := all(func(int) string { return "user1" }); n > callers*each/2 {
		t.Errorf("%d reads, %d at a time, took %d round trips", callers*each, callers, n)
	}
	all(func(i int) string {
		if i%7 == 0 {
			return "\xff" // the server takes it for no text
		}
		return "user1"
	})
}

// TestNobodyThere: Open waits as long as its context, and says for what.
func TestNobodyThere(t *testing.T) {
	addr := freeAddr(t)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	_, err := Open(ctx, Config{DSN: "root:hidden@tcp(" + addr + ")/x"})
	if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), addr) || strings.Contains(err.Error(), "hidden") {
		t.Errorf("%v", err)
	}
}

// testLeastPrivileges: what the package asks for is enough.
func testLeastPrivileges(t *testing.T, s *server) {
	storetest.RunMigrations(t, storetest.Features{DDLCommits: true}, func(t testing.TB) storetest.Opener {
		schema := s.schema(t)
		err := s.exec(t.Context(), "CREATE USER IF NOT EXISTS least IDENTIFIED BY 'least'",
			"GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, ALTER, INDEX, REFERENCES, DROP ON "+schema+".* TO least")
		if err != nil {
			t.Fatal(err)
		}
		return opener("least:least@tcp(" + s.addr + ")/" + schema)
	})
}
