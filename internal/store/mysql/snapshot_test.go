package mysql

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"

	"rideshare/internal/db"
	"rideshare/internal/replog"
	"rideshare/internal/store"
)

// filled returns a store with 1000 users and so many rides, which the server makes itself.
func filled(b *testing.B, server *server, rides int) *Store {
	b.Helper()
	schema := server.schema(b)
	s := open(b, Config{DSN: server.dsn(server.addr, schema)})
	tx, err := s.Begin(b.Context())
	if err == nil {
		_, err = tx.Execute(b.Context(), []db.Op{{Migrate: db.LatestMigration}})
	}
	if err == nil {
		err = tx.Commit(b.Context(), store.Bookkeeping{State: replog.State{Seq: 1}})
	}
	if err != nil {
		b.Fatal(err)
	}
	const numbers = "WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n WHERE i < %d) " +
		"SELECT /*+ SET_VAR(cte_max_recursion_depth = 100000000) */ "
	err = server.exec(b.Context(),
		fmt.Sprintf("INSERT INTO %s.users "+numbers+"CONCAT('user', i), REPEAT('x', 60) FROM n", schema, 1000),
		fmt.Sprintf("INSERT INTO %s.rides "+numbers+
			"i, CONCAT('user', 1 + i %% 1000), i %% 198, i %% 197, 1700000000000000 + i * 1000000 FROM n", schema, rides))
	if err != nil {
		b.Fatal(err)
	}
	return s
}

// BenchmarkSnapshot measures how long a copy takes that a new slave joins with.
func BenchmarkSnapshot(b *testing.B) {
	server := newServer(b)
	for _, rides := range []int{10_000, 150_000, 1_000_000} {
		b.Run(fmt.Sprintf("%d rides", rides), func(b *testing.B) {
			from := filled(b, server, rides)
			to := open(b, Config{DSN: server.dsn(server.addr, server.schema(b))})
			file, err := os.Create(filepath.Join(b.TempDir(), "snapshot"))
			if err != nil {
				b.Fatal(err)
			}
			defer file.Close() //nolint:errcheck // it is removed
			b.Run("export", func(b *testing.B) {
				for b.Loop() {
					rewind(b, file)
					if _, err := from.Export(context.Background(), file); err != nil {
						b.Fatal(err)
					}
				}
				size, err := file.Seek(0, io.SeekEnd)
				if err != nil {
					b.Fatal(err)
				}
				b.ReportMetric(float64(size)/1e6, "MB")
			})
			b.Run("import", func(b *testing.B) {
				for b.Loop() {
					rewind(b, file)
					if err := to.Import(context.Background(), file); err != nil {
						b.Fatal(err)
					}
				}
			})
		})
	}
}

func rewind(b *testing.B, file *os.File) {
	b.Helper()
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		b.Fatal(err)
	}
}
