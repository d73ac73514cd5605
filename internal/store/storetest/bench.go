package storetest

import (
	"fmt"
	"sync"
	"syscall"
	"testing"
	"time"

	"rideshare/internal/db"
	"rideshare/internal/store"
)

// Meter returns the processor time that the database's server has used so far.
type Meter func() time.Duration

// Benchmark measures inserts, per row, in batches of requests as the master takes them and one
// entry per transaction, entries as a slave applies them, and reads of one row by its key. Of the
// last two it reports processor time, too: of this process, and of the server where there is one.
func Benchmark(b *testing.B, create Create, server Meter) {
	for _, batch := range []int{1, 16, 256} {
		b.Run(fmt.Sprintf("insert/%d per commit", batch), func(b *testing.B) {
			f := newFixture(b, Features{}, create).migrated("ann")
			b.ResetTimer()
			for n := 0; n < b.N; n += batch {
				requests := make([][]db.Op, batch)
				for i := range requests {
					requests[i] = []db.Op{ride(int64(n+i), "ann")}
				}
				tx, err := f.Begin(f.ctx)
				f.ok(err)
				_, err = tx.Execute(f.ctx, requests...)
				f.ok(err)
				f.ok(tx.Commit(f.ctx, store.Bookkeeping{State: state(uint64(n))}))
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "rows/s")
		})
	}
	b.Run("insert/one per call", func(b *testing.B) {
		f := newFixture(b, Features{}, create).migrated("ann")
		tx := f.begin()
		b.ResetTimer()
		for n := range b.N {
			_, err := tx.Execute(f.ctx, []db.Op{ride(int64(n), "ann")})
			f.ok(err)
		}
		f.ok(tx.Commit(f.ctx, f.next()))
		b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "rows/s")
	})
	for _, entries := range []int{1, 2, 4} {
		b.Run(fmt.Sprintf("apply/%d per commit", entries), func(b *testing.B) {
			benchmarkApply(newFixture(b, Features{}, create), b, entries, server)
		})
	}
	for _, callers := range []int{1, 16, 64} {
		b.Run(fmt.Sprintf("read/%d at a time", callers), func(b *testing.B) {
			benchmarkRead(newFixture(b, Features{}, create), b, callers, server)
		})
	}
}

// benchmarkApply applies entries of eight writes, so many in one transaction.
func benchmarkApply(f *fixture, b *testing.B, entries int, server Meter) {
	const writes = 8
	f.migrated("ann")
	id := int64(0)
	measure(b, server, func() {
		for n := 0; n < b.N; n += entries {
			tx, err := f.Begin(f.ctx)
			f.ok(err)
			books := f.next()
			books.Expire = departure.Add(-time.Hour)
			for range entries {
				requests := make([][]db.Op, writes)
				for i := range requests {
					id++
					requests[i] = []db.Op{ride(id, "ann")}
					books.Replies = append(books.Replies, reply(fmt.Sprint("reply", id), departure))
				}
				_, err := tx.Execute(f.ctx, requests...)
				f.ok(err)
			}
			books.Sequences = db.Sequences{"rides": id}
			f.ok(tx.Commit(f.ctx, books))
		}
	})
}

func benchmarkRead(f *fixture, b *testing.B, callers int, server Meter) {
	f.migrated()
	for i := range 10_000 / db.MaxOps {
		ops := make([]db.Op, db.MaxOps)
		for j := range ops {
			ops[j] = user(fmt.Sprint("user", i*db.MaxOps+j))
		}
		f.write(ops...)
	}
	measure(b, server, func() {
		var running sync.WaitGroup
		for caller := range callers {
			running.Go(func() {
				for n := caller; n < b.N; n += callers {
					name := fmt.Sprint("user", n*7919%10_000)
					_, err := f.Read(f.ctx, db.Read{Queries: []db.Query{
						{Table: "users", Columns: []string{"username", "password_hash"}, Where: []db.Condition{eq("username", name)}},
					}})
					if err != nil {
						b.Error(err)
					}
				}
			})
		}
		running.Wait()
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "reads/s")
}

// measure runs what is measured, and reports the processor time that it took.
func measure(b *testing.B, server Meter, run func()) {
	if server == nil {
		server = func() time.Duration { return 0 }
	}
	own, other := processorTime(b), server()
	b.ResetTimer()
	run()
	b.StopTimer()
	for unit, took := range map[string]time.Duration{"own-µs/op": processorTime(b) - own, "server-µs/op": server() - other} {
		b.ReportMetric(float64(took.Nanoseconds())/1000/float64(b.N), unit)
	}
}

// processorTime returns what this process has used.
func processorTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
