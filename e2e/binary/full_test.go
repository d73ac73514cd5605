package binary

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"rideshare/e2e/load"
	"rideshare/internal/cluster"
	"rideshare/internal/db"
	"rideshare/internal/disktest"
)

// TestFullDisk fills the disk under a running system. Reads go on and nobody dies; a write that was not
// acknowledged is done, once, when there is room again. The same after a kill and a start on the full disk.
func TestFullDisk(t *testing.T) {
	disk := disktest.New(t, "32m")
	addr, data := freeAddr(t), filepath.Join(disk.Dir, "data")
	p := run(t, addr, data)
	f := &fullDisk{T: t, process: p, addr: addr, data: data}
	f.insert("founder")
	acknowledged := 1

	disk.Fill(t)
	// The databases have space in reserve, which lasts for a while.
	waiting := ""
	for n := 0; waiting == "" && n < 2000; n++ {
		name := fmt.Sprintf("user%d-%s", n, strings.Repeat("x", 100))
		for waiting == "" && f.try(name, 3*time.Second) != http.StatusOK {
			if f.full() > 0 { // otherwise the machine is only slow
				waiting = name
			}
		}
		if waiting == "" {
			acknowledged++
		}
	}
	if waiting == "" {
		t.Fatal("the disk does not get full")
	}
	t.Logf("%d writes went through on the full disk", acknowledged-1)
	f.readsFor(15*time.Second, acknowledged)
	f.saysSo()

	_ = p.end(syscall.SIGKILL) // that it was killed is what it says
	f.process = start(t, addr, data)
	f.until("it reads again, or says that a database has no room to open", func() bool { return f.users() >= 0 || f.lacksRoom() })
	if !f.lacksRoom() {
		// The databases free some space as they open, which may be enough for the write.
		done := false
		f.until("a worker says so, or there was room for the write", func() bool {
			done = f.try(waiting, 3*time.Second) == http.StatusOK
			return done || f.full() > 0
		})
		if !done {
			f.readsFor(3*time.Second, acknowledged)
			f.saysSo()
		}
	}

	disk.Free(t)
	f.until("the write that waited is done", func() bool { return f.try(waiting, 3*time.Second) == http.StatusOK })
	f.until("all can write", func() bool {
		top := f.topology()
		for _, w := range top.Workers {
			if w.Database != "ok" || w.State != cluster.Serving || w.Lag > 0 {
				return false
			}
		}
		return top.Master != "" && len(top.Workers) == 3
	})
	if n := f.users(); n != acknowledged+1 {
		t.Errorf("%d users after %d acknowledged writes", n, acknowledged+1)
	}
	f.insert("last")
	if out, err := command(addr, data, "verify").CombinedOutput(); err != nil {
		t.Errorf("verify: %v\n%s", err, out)
	}
	if strings.Contains(f.out.String(), "msg=died") {
		t.Errorf("something has died:\n%s", f.out)
	}
	if err := f.end(os.Interrupt); err != nil {
		t.Error(err)
	}
}

// fullDisk is a system whose disk is or was full.
type fullDisk struct {
	*testing.T
	*process
	addr, data string
}

// try adds a user under a key of its own, and returns the status of the answer; 0: there was none.
func (f *fullDisk) try(user string, patience time.Duration) int {
	ctx, cancel := context.WithTimeout(f.T.Context(), patience)
	defer cancel()
	op := db.Op{Insert: "users", Values: map[string]any{"username": user, "password_hash": strings.Repeat("h", 200)}}
	a, err := f.target.Call(ctx, http.MethodPost, "/db/write", db.Write{Ops: []db.Op{op}}, "Idempotency-Key", "key of "+user)
	if err != nil {
		return 0
	}
	return a.Code
}

func (f *fullDisk) insert(user string) {
	f.T.Helper()
	if code := f.try(user, 20*time.Second); code != http.StatusOK {
		f.T.Fatalf("%s: %d\n%s", user, code, f.out)
	}
}

// users returns how many users an eventual read counts, -1 where it fails.
func (f *fullDisk) users() int {
	ctx, cancel := context.WithTimeout(f.T.Context(), 2*time.Second)
	defer cancel()
	r, err := f.target.Read(ctx, db.Read{Queries: []db.Query{{Table: "users", Count: true}}})
	if err != nil {
		return -1
	}
	return int(*r.Results[0].Count)
}

// readsFor reads for a while: none fails, or misses what was acknowledged. The write that waits is in the
// log, so that a replica may have it.
func (f *fullDisk) readsFor(d time.Duration, acknowledged int) {
	f.T.Helper()
	reads := 0
	var slowest time.Duration
	for end := time.Now().Add(d); time.Now().Before(end); reads++ {
		begun := time.Now()
		if n := f.users(); n < acknowledged || n > acknowledged+1 {
			f.T.Fatalf("read %d: %d users, %d were acknowledged\n%s", reads, n, acknowledged, f.out)
		}
		ctx, cancel := context.WithTimeout(f.T.Context(), 5*time.Second)
		a, err := f.target.Call(ctx, http.MethodGet, "/rides/count", nil)
		cancel()
		if err != nil || a.Code != http.StatusOK {
			f.T.Fatalf("read %d: %d %s, %v", reads, a.Code, a.Body, err)
		}
		slowest = max(slowest, time.Since(begun))
	}
	f.T.Logf("%d reads on the full disk, the slowest took %v", 2*reads, slowest)
}

// saysSo checks what an operator sees of the full disk.
func (f *fullDisk) saysSo() {
	f.T.Helper()
	f.until("the topology says so", func() bool { return f.full() > 0 })
	if !strings.Contains(f.out.String(), "the database cannot write") || !strings.Contains(f.out.String(), "disk is full") {
		f.T.Errorf("it is not logged:\n%s", f.out)
	}
	out, err := command(f.addr, f.data, "doctor", "-o", "json").Output()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		f.T.Fatalf("doctor: %v", err)
	}
	var findings []struct{ Part, State, Found, Do string }
	if err := json.NewDecoder(bytes.NewReader(out)).Decode(&findings); err != nil {
		f.T.Fatalf("doctor: %v\n%s", err, out)
	}
	named := false
	for _, found := range findings {
		named = named || found.State == "fault" && strings.Contains(found.Found, "cannot write: ")
	}
	if !named || strings.Contains(string(out), "ZooKeeper") {
		f.T.Errorf("the doctor says:\n%s", out)
	}
}

// full returns how many workers say that their disk is full.
func (f *fullDisk) full() (n int) {
	for _, w := range f.topology().Workers {
		if strings.Contains(w.Database, "disk is full") {
			n++
		}
	}
	return n
}

func (f *fullDisk) topology() (top cluster.Topology) {
	ctx, cancel := context.WithTimeout(f.T.Context(), 5*time.Second)
	defer cancel()
	if a, err := f.target.Call(ctx, http.MethodGet, "/cluster", nil); err == nil {
		_ = json.Unmarshal(a.Body, &top) // what is no topology has no workers
	}
	return top
}

// lacksRoom reports whether a pair cannot be started because SQLite has no room for the 32 KiB of shared
// memory that it opens a database with. The others wait for that pair then, as its data may be the newest.
func (f *fullDisk) lacksRoom() bool {
	return slices.ContainsFunc(f.topology().Faults, func(p cluster.PairFault) bool { return strings.Contains(p.Why, "the disk is full") })
}

func (f *fullDisk) until(what string, condition func() bool) {
	f.T.Helper()
	for deadline := time.Now().Add(60 * time.Second); !condition(); {
		if time.Now().After(deadline) {
			f.T.Fatalf("not within a minute: %s; %+v\n%s", what, f.topology(), f.out)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// start starts the system, without waiting until it is ready: without a master it is not.
func start(t *testing.T, addr, data string) *process {
	t.Helper()
	p := &process{T: t, cmd: command(addr, data, "run"), out: &output{}, ended: make(chan error, 1), target: load.NewTarget("http://"+addr, "", 32)}
	p.cmd.Stdout, p.cmd.Stderr = p.out, p.out
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { p.ended <- p.cmd.Wait() }()
	t.Cleanup(func() { _ = p.cmd.Process.Kill() })
	return p
}
