package replog_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"rideshare/internal/replog"
	"rideshare/internal/replog/memory"
)

const quiet = 2 * time.Second

// An idle log is asked now and then, which costs a few records, and no reader is given up.
func TestFollowerAsksASilentLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := memory.New(memory.Options{})
		log := &countingLog{Log: server.Connect()}
		history(t, log, 1)
		f := replog.Follow(t.Context(), log, replog.State{}, quiet)
		defer f.Close()
		collect(t, f, at(1))
		before := server.Len()
		passed, begun := 0, time.Now()
		collect(t, f, func(e replog.Event) bool {
			if e.Verdict == replog.Passed {
				passed++
			}
			if f.Silence() > quiet+quiet/4 {
				t.Errorf("silent for %v", f.Silence())
			}
			return time.Since(begun) > time.Minute
		})
		if asked := server.Len() - before; asked != passed || asked < 24 || asked > 31 {
			t.Errorf("%d barriers in a minute, %d read", asked, passed)
		}
		if n := log.opens.Load(); n != 1 {
			t.Errorf("attached %d times", n)
		}
	})
}

// Where an append takes longer than readers are waited for, and longer whenever it begins anew, the follower
// still hears of the log.
func TestFollowerAsksASlowLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := memory.New(memory.Options{})
		history(t, server.Connect(), 1)
		f := replog.Follow(t.Context(), slowLog{server.Connect()}, replog.State{}, quiet)
		defer f.Close()
		collect(t, f, at(1))
		go func() {
			for range f.Events() {
				continue // reading them is all
			}
		}()
		time.Sleep(time.Minute)
		synctest.Wait()
		if f.Silence() > 5*quiet {
			t.Errorf("silent for %v", f.Silence())
		}
	})
}

// slowLog is a log of which every append takes three times quiet.
type slowLog struct{ replog.Log }

func (l slowLog) Append(ctx context.Context, data []byte) error {
	select {
	case <-time.After(3 * quiet):
		return l.Log.Append(ctx, data)
	case <-ctx.Done():
		return ctx.Err()
	}
}

// A follower has read events that nobody receives yet, because a write takes long. It is not silent.
func TestFollowerOfABusyReplicaIsNotSilent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := memory.New(memory.Options{})
		log := server.Connect()
		history(t, log, 1)
		f := replog.Follow(t.Context(), log, replog.State{}, quiet)
		defer f.Close()
		collect(t, f, at(1))
		// The follower asks the log, reads its own barrier, and waits for a receiver.
		for range 10 {
			time.Sleep(quiet)
			synctest.Wait()
			if silence := f.Silence(); silence > 2*quiet {
				t.Fatalf("silent for %v", silence)
			}
		}
		<-f.Events()
		if silence := f.Silence(); silence > quiet {
			t.Errorf("silent for %v once the events were received", silence)
		}
	})
}

// A reader that reads nothing, although the log goes on, is given up, and the next one is tried at
// once. The follower goes on when a reader reads again.
func TestFollowerGivesASilentReaderUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := memory.New(memory.Options{})
		other, conn := server.Connect(), server.Connect()
		log := &countingLog{Log: conn}
		s := history(t, other, 1)
		f := replog.Follow(t.Context(), log, replog.State{}, quiet)
		defer f.Close()
		collect(t, f, at(1))
		conn.Cut(true)
		next := s.NewEntry()
		if err := other.Append(t.Context(), next.Encode()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if silence := f.Silence(); silence < time.Minute || silence > time.Minute+time.Second {
			t.Errorf("silent for %v", silence)
		}
		// The first is given up after twice quiet, the others after quiet each, and a pause.
		if n := log.opens.Load(); n < 14 || n > 30 {
			t.Errorf("attached %d times in a minute", n)
		}
		conn.Cut(false)
		healed := time.Now()
		collect(t, f, at(2))
		if took := time.Since(healed); took > 2*time.Second+quiet {
			t.Errorf("it took %v to go on", took)
		}
	})
}
