package workers_test

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"rideshare/internal/db"
	logmemory "rideshare/internal/replog/memory"
)

// entryTime is how long the log takes for an entry in these tests, and thinkTime how long a caller's next request
// takes to come after a reply.
const (
	entryTime = 4 * time.Millisecond
	thinkTime = 3 * time.Millisecond
)

// slowLog is a log that takes entryTime for each append.
func slowLog() logmemory.Options {
	return logmemory.Options{Fate: func([]byte) logmemory.Fate {
		time.Sleep(entryTime)
		return logmemory.Kept
	}}
}

// closedLoop is what so many callers, each of whom sends the next request when the last one is answered, see of one
// master in two seconds.
func closedLoop(t *testing.T, callers int) (perSecond, perEntry float64) {
	bubble(t, slowLog(), func(s *site) {
		master := s.found("w1")
		before := s.member(master).Position.Seq
		const lasts = 2 * time.Second
		end := time.Now().Add(lasts)
		var mu sync.Mutex
		n := 0
		var all sync.WaitGroup
		for c := range callers {
			all.Go(func() {
				time.Sleep(time.Duration(c) * 100 * time.Microsecond)
				for i := 0; time.Now().Before(end); i++ {
					if reply := s.write(fmt.Sprintf("%d.%d", c, i), addUser(fmt.Sprintf("u%d.%d", c, i))); reply.Write == nil {
						t.Errorf("%+v", reply)
						return
					}
					mu.Lock()
					n++
					mu.Unlock()
					time.Sleep(thinkTime + rand.N(time.Millisecond))
				}
			})
		}
		all.Wait()
		time.Sleep(2 * time.Second) // the position is in the registry
		synctest.Wait()
		perSecond = float64(n) / lasts.Seconds()
		perEntry = float64(n) / float64(s.member(master).Position.Seq-before)
	})
	return perSecond, perEntry
}

// A single caller never waits for others, and neither do two who take turns. Many callers share entries.
func TestGathering(t *testing.T) {
	cycle := (entryTime + thinkTime + time.Millisecond/2).Seconds()
	for _, c := range []struct {
		callers             int
		perSecond, perEntry float64 // at least
	}{
		{1, 0.98 / cycle, 1},
		{2, 1.8 / cycle, 1}, // one of them may meet an entry that is under way
		{16, 16 / (entryTime + 10*time.Millisecond).Seconds(), 8},
		{64, 64 / (entryTime + 10*time.Millisecond).Seconds(), 48},
		{256, 256 / (entryTime + 10*time.Millisecond).Seconds(), 128},
	} {
		t.Run(fmt.Sprint(c.callers), func(t *testing.T) {
			perSecond, perEntry := closedLoop(t, c.callers)
			t.Logf("%.0f a second, %.1f in an entry", perSecond, perEntry)
			if perSecond < c.perSecond || perEntry < c.perEntry {
				t.Errorf("%.0f a second and %.1f in an entry, want at least %.0f and %.1f", perSecond, perEntry, c.perSecond, c.perEntry)
			}
		})
	}
}

// Requests that come at random, whatever their rate, wait no longer than for the entry under way, the gathering, and
// their own entry.
func TestRandomArrivals(t *testing.T) {
	for _, perSecond := range []int{20, 200, 2000} {
		t.Run(fmt.Sprint(perSecond), func(t *testing.T) {
			bubble(t, slowLog(), func(s *site) {
				s.found("w1")
				random := rand.New(rand.NewPCG(1, 2))
				var mu sync.Mutex
				var sum, longest time.Duration
				const requests = 400
				var all sync.WaitGroup
				for i := range requests {
					time.Sleep(time.Duration(random.ExpFloat64() * float64(time.Second) / float64(perSecond)))
					all.Go(func() {
						begun := time.Now()
						if reply := s.write(fmt.Sprint(i), addUser(fmt.Sprint("u", i))); reply.Write == nil {
							t.Errorf("%+v", reply)
						}
						took := time.Since(begun)
						mu.Lock()
						defer mu.Unlock()
						sum += took
						longest = max(longest, took)
					})
				}
				all.Wait()
				t.Logf("%v in the mean, %v at most", sum/requests, longest)
				if longest > 3*entryTime {
					t.Errorf("a request took %v", longest)
				}
				if perSecond == 20 && sum/requests > entryTime*5/4 {
					t.Errorf("requests that come one at a time take %v in the mean", sum/requests)
				}
			})
		})
	}
}

// A slave applies what it gets with delay and together, unless somebody reads.
func TestSlavesApplyLazily(t *testing.T) {
	bubble(t, logmemory.Options{}, func(s *site) {
		s.found("w1", "w2")
		slave := "w1"
		if s.leads(slave) {
			slave = "w2"
		}
		applied := func() int { return len(s.users(slave)) }
		time.Sleep(time.Second)
		for i := range 5 {
			s.mustWrite(fmt.Sprint(i), addUser(fmt.Sprint("lazy", i)))
		}
		synctest.Wait()
		if n := applied(); n != 0 {
			t.Errorf("the slave has applied %d at once", n)
		}
		time.Sleep(20 * time.Millisecond)
		synctest.Wait()
		if n := applied(); n != 5 {
			t.Errorf("the slave has applied %d of 5 after 20 ms", n)
		}
		users := int64(5)
		for _, level := range []db.Consistency{db.Eventual, db.Session, db.Strong} {
			written := s.mustWrite("for "+string(level), addUser("for "+string(level)))
			users++
			synctest.Wait()
			begun := time.Now()
			read := db.Read{Queries: countUsers, Consistency: level}
			if level == db.Session {
				read.After = written.Position
			}
			reply := s.read(read)
			if reply.Read == nil || *reply.Read.Results[0].Count != users || time.Since(begun) > time.Millisecond {
				t.Errorf("a %s read took %v: %+v", level, time.Since(begun), reply)
			}
		}
		// One that ends applies what it holds.
		s.mustWrite("last", addUser("last"))
		synctest.Wait()
		if n := applied(); n != int(users) {
			t.Errorf("the slave has applied %d of %d", n, users)
		}
		if err := s.stop(slave); err != nil {
			t.Error(err)
		}
		s.log.SetAvailable(false) // it cannot come from there
		s.start(slave, slave)
		if n := applied(); n != int(users)+1 {
			t.Errorf("the slave that ended has applied %d of %d", n, users+1)
		}
	})
}
