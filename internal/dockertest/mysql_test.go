package dockertest

import (
	"database/sql"
	"testing"
	"time"

	_ "github.com/go-sql-driver/mysql"
)

// TestMySQL is also what the image promises: the user can log in as soon as the port answers, and what
// was committed is there after a kill.
func TestMySQL(t *testing.T) {
	Require(t)
	Image(t, "mysql") // not part of the time
	began := time.Now()
	s := MySQL(t)
	t.Logf("a new MySQL answers after %v", time.Since(began).Round(10*time.Millisecond))
	addr := s.Addr(mysqlPort)

	db, err := sql.Open("mysql", s.DSN())
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close() //nolint:errcheck // nothing depends on it
	exec := func(query string, args ...any) {
		t.Helper()
		if _, err := db.ExecContext(t.Context(), query, args...); err != nil {
			t.Fatal(err)
		}
	}
	exec("CREATE TABLE t (id INT PRIMARY KEY)")
	for id := range 100 {
		exec("INSERT INTO t VALUES (?)", id)
	}

	s.Kill(t)
	began = time.Now()
	s.Start(t)
	s.Await(t)
	t.Logf("a killed MySQL answers %v after its start", time.Since(began).Round(10*time.Millisecond))
	if s.Addr(mysqlPort) != addr {
		t.Errorf("it moved from %s to %s", addr, s.Addr(mysqlPort))
	}
	var rows int
	if err := db.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM t").Scan(&rows); err != nil || rows != 100 {
		t.Errorf("after the kill there are %d rows, %v", rows, err)
	}
	if got := s.Query(t, "SELECT MIN(id), MAX(id) FROM t"); got != "0\t99" {
		t.Errorf("the client in the container says %q", got)
	}
}

// TestMySQLCanClone: the plugin for copying a whole database is there.
func TestMySQLCanClone(t *testing.T) {
	s := MySQL(t, func(o *Options) { o.Args = append(o.Args, "--plugin-load-add=clone=mysql_clone.so") })
	got := s.Query(t, "SELECT PLUGIN_STATUS FROM information_schema.PLUGINS WHERE PLUGIN_NAME = 'clone'")
	if got != "ACTIVE" {
		t.Errorf("the clone plugin is %q", got)
	}
}
