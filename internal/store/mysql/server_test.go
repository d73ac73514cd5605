package mysql

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"

	"rideshare/internal/dockertest"
	"rideshare/internal/store"
	"rideshare/internal/store/storetest"
)

// server is a MySQL server in a container, at an address that stays the same.
type server struct {
	*dockertest.MySQLServer
	addr    string
	schemas atomic.Int64
}

// inMemory keeps the data of a server in memory. It is lost when the server ends.
func inMemory(o *dockertest.Options) { o.Tmpfs = []string{"/var/lib/mysql:mode=1777"} }

// newServer returns a server that runs, or skips the test where there is no engine; with CI=true it
// fails.
func newServer(t testing.TB, change ...func(*dockertest.Options)) *server {
	t.Helper()
	s := dockertest.MySQL(t, append(change, func(o *dockertest.Options) { // large enough for benchmarks
		o.Args = []string{
			"--skip-log-bin", "--performance-schema=OFF", "--mysqlx=OFF",
			"--innodb-buffer-pool-size=256M", "--innodb-redo-log-capacity=1G",
		}
	})...)
	return &server{MySQLServer: s, addr: s.Addr(3306)}
}

// processorTime returns what the server, which is the container's first process, has used since it
// was started.
func (s *server) processorTime(t testing.TB) time.Duration {
	t.Helper()
	_, stat, _ := strings.Cut(s.Output(t, "cat", "/proc/1/stat"), ") ") // behind the name
	fields, sum := strings.Fields(stat), time.Duration(0)
	for _, ticks := range fields[11:13] { // in user mode, and in the kernel
		n, err := strconv.Atoi(ticks)
		if err != nil {
			t.Fatal(err)
		}
		sum += time.Duration(n) * 10 * time.Millisecond
	}
	return sum
}

func freeAddr(t testing.TB) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close() //nolint:errcheck // only its number is wanted
	return l.Addr().String()
}

// exec executes statements as root.
func (s *server) exec(ctx context.Context, statements ...string) error {
	config, err := mysql.ParseDSN(s.dsn(s.addr, ""))
	if err != nil {
		return err
	}
	config.Logger = silent{}
	connector, err := mysql.NewConnector(config)
	if err != nil {
		return err
	}
	pool := sql.OpenDB(connector)
	defer pool.Close() //nolint:errcheck // what it did has been checked
	for _, text := range statements {
		if _, err := pool.ExecContext(ctx, text); err != nil {
			return fmt.Errorf("%s: %w", text, err)
		}
	}
	return nil
}

func (s *server) dsn(addr, schema string) string {
	return fmt.Sprintf("root:%s@tcp(%s)/%s", s.RootPassword, addr, schema)
}

// schema creates a schema. It goes with the server.
func (s *server) schema(t testing.TB) string {
	t.Helper()
	name := fmt.Sprintf("schema%d", s.schemas.Add(1))
	if err := s.exec(t.Context(), "CREATE DATABASE "+name); err != nil {
		t.Fatal(err)
	}
	return name
}

func (s *server) create(t testing.TB) storetest.Opener {
	return opener(s.dsn(s.addr, s.schema(t)))
}

func opener(dsn string) storetest.Opener {
	return func(ctx context.Context) (store.Store, error) {
		s, err := Open(ctx, Config{DSN: dsn})
		if err != nil {
			return nil, err // not the nil *Store, which would be a Store that is not nil
		}
		return s, nil
	}
}

// open opens a store, which is closed in the end.
func open(t testing.TB, c Config) *Store {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	s, err := Open(ctx, c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
			t.Error(err)
		}
	})
	return s
}
