package sqlstore

import (
	"database/sql"
	"fmt"
	"testing"

	_ "modernc.org/sqlite"
)

func TestStmtCache(t *testing.T) {
	pool, err := sql.Open("sqlite", ":memory:")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = pool.Close() }()
	cache := newStmtCache()
	defer cache.close()
	text := func(i int) string { return fmt.Sprintf("SELECT %d", i) }
	for i := range maxStatements + 10 {
		stmt, err := pool.Prepare(text(i))
		if err != nil {
			t.Fatal(err)
		}
		if err := cache.add(text(i), stmt); err != nil {
			t.Fatal(err)
		}
		if _, ok := cache.get(text(0)); !ok {
			t.Fatal("the one used last is gone")
		}
	}
	if n := len(cache.byText); n != maxStatements || cache.recent.Len() != n {
		t.Errorf("%d statements, at most %d", n, maxStatements)
	}
	if _, ok := cache.get(text(1)); ok {
		t.Error("the one used longest ago is still there")
	}
}
