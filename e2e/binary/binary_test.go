// Package binary tries the built program as a person does: start, use, kill, start again.
package binary

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"rideshare/e2e/load"
	"rideshare/internal/cluster"
	"rideshare/internal/db"
	"rideshare/internal/stopwatch"
)

var program string

func TestMain(m *testing.M) { os.Exit(buildAndRun(m)) }

func buildAndRun(m *testing.M) int {
	dir, err := os.MkdirTemp("", "rideshare-binary")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir) //nolint:errcheck // a temporary folder
	program = filepath.Join(dir, "rideshare")
	build := exec.Command("go", "build", "-trimpath", "-o", program, "rideshare/cmd/rideshare")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "%v\n%s", err, out)
		return 1
	}
	return m.Run()
}

// process is a running "rideshare run".
type process struct {
	*testing.T
	cmd    *exec.Cmd
	out    *output
	ended  chan error
	target *load.Target
}

// output collects what a process prints.
type output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

// freeAddr returns an address that nobody listens on.
func freeAddr(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close() //nolint:errcheck // it is given up
	return l.Addr().String()
}

func command(addr, data string, args ...string) *exec.Cmd {
	cmd := exec.Command(program, args...)
	cmd.Env = append(os.Environ(), "RIDESHARE_ADDR="+addr, "RIDESHARE_DATA="+data, "RIDESHARE_URL=http://"+addr, "RIDESHARE_AUTOSCALE=false")
	return cmd
}

// run starts the system and waits until it serves.
func run(t *testing.T, addr, data string) *process {
	t.Helper()
	begun, watch := time.Now(), stopwatch.Start()
	p := start(t, addr, data)
	for {
		resp, err := p.target.HTTP.Get("http://" + addr + "/readyz")
		if err == nil {
			_ = resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				break
			}
		}
		if time.Since(begun) > 20*time.Second {
			t.Fatalf("it does not get ready:\n%s", p.out)
		}
		select {
		case err := <-p.ended:
			t.Fatalf("it ended: %v\n%s", err, p.out)
		case <-time.After(2 * time.Millisecond):
		}
	}
	took := watch.Took()
	t.Logf("ready after %v", took)
	if took > 2*time.Second {
		t.Errorf("ready after %v, wanted within 2 s", took)
	}
	return p
}

func (p *process) end(signal os.Signal) error {
	p.Helper()
	if err := p.cmd.Process.Signal(signal); err != nil {
		p.Fatal(err)
	}
	select {
	case err := <-p.ended:
		return err
	case <-time.After(20 * time.Second):
		p.Fatalf("it does not end on %v:\n%s", signal, p.out)
		return nil
	}
}

func TestKillNineLosesNothing(t *testing.T) {
	addr, data := freeAddr(t), t.TempDir()
	ledger := load.NewLedger()
	for round := range 3 {
		p, begun := run(t, addr, data), time.Now()
		ctx, stop := context.WithCancel(t.Context())
		var clients sync.WaitGroup
		for w := range 8 {
			name := fmt.Sprintf("writer%d-%d", round, w)
			if _, err := p.target.Write(t.Context(), db.Op{Insert: "users", Values: map[string]any{"username": name, "password_hash": "none"}}); err != nil {
				t.Fatal(err)
			}
			clients.Go(func() { p.target.Writer(ctx, ledger, name) })
		}
		for before := ledger.Rides(); ledger.Rides() < before+20 && time.Since(begun) < 20*time.Second; {
			<-time.After(10 * time.Millisecond)
		}
		stopped := make(chan struct{})
		context.AfterFunc(ctx, func() { close(stopped) })
		_ = p.end(syscall.SIGKILL) // that it was killed is what it says
		stop()
		<-stopped
		clients.Wait()
	}
	p := run(t, addr, data)
	if ledger.Rides() < 50 {
		t.Errorf("only %d rides were acknowledged", ledger.Rides())
	}
	// A write that was under way when the process died may have been done: only what is lost or
	// doubled counts here.
	for _, fault := range ledger.Audit(t.Context(), p.target, true) {
		t.Error(fault)
	}
	t.Logf("%d rides survived three kills", ledger.Rides())
	if err := p.end(os.Interrupt); err != nil || !strings.Contains(p.out.String(), "stopped") {
		t.Errorf("after Ctrl-C: %v\n%s", err, p.out)
	}
}

func TestMemoryAfterTenThousandRides(t *testing.T) {
	p := run(t, freeAddr(t), t.TempDir())
	if _, err := p.target.Write(t.Context(), db.Op{Insert: "users", Values: map[string]any{"username": "alice", "password_hash": "none"}}); err != nil {
		t.Fatal(err)
	}
	const rides, clients = 10_000, 16
	var wg sync.WaitGroup
	begun := time.Now()
	for range clients {
		wg.Go(func() {
			for range rides / clients {
				_, err := p.target.Must(t.Context(), http.StatusCreated, http.MethodPost, "/rides", map[string]any{
					"created_by": "alice", "timestamp": "01-01-2090:00-00-12", "source": 1, "destination": 2,
				})
				if err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	a, err := p.target.Must(t.Context(), http.StatusOK, http.MethodGet, "/rides/count", nil)
	if err != nil || strings.TrimSpace(string(a.Body)) != "[10000]" {
		t.Errorf("count: %s, %v", a.Body, err)
	}
	t.Logf("%d rides in %v, resident: %d MB", rides, time.Since(begun), load.ResidentMB(t, p.cmd.Process.Pid))
	if mb := load.ResidentMB(t, p.cmd.Process.Pid); mb > 150 {
		t.Errorf("%d MB are resident, wanted are at most 150", mb)
	}
}

func TestCommands(t *testing.T) {
	addr := freeAddr(t)
	run(t, addr, t.TempDir())
	ok := func(args ...string) string {
		t.Helper()
		out, err := command(addr, "", args...).CombinedOutput()
		if err != nil {
			t.Errorf("rideshare %v: %v\n%s", args, err, out)
		}
		return string(out)
	}
	if out := ok("status"); !strings.Contains(out, "WORKER") || !strings.Contains(out, "master") {
		t.Errorf("status:\n%s", out)
	}
	topology := func() (top cluster.Topology) {
		t.Helper()
		if err := json.Unmarshal([]byte(ok("status", "-o", "json")), &top); err != nil {
			t.Error(err)
		}
		return top
	}
	whole := func(slaves int) cluster.Topology {
		t.Helper()
		for deadline := time.Now().Add(10 * time.Second); ; {
			top := topology()
			away := func(w cluster.Worker) bool { return w.State != cluster.Serving }
			if top.Master != "" && len(top.Workers) == slaves+1 && !slices.ContainsFunc(top.Workers, away) {
				return top
			}
			if time.Now().After(deadline) {
				t.Fatalf("not whole again: %+v", top)
			}
		}
	}
	before := whole(2)
	if out := ok("crash", "master"); !strings.Contains(out, "killed the master") {
		t.Errorf("crash:\n%s", out)
	}
	after := whole(2)
	if after.Epoch <= before.Epoch || after.Master == before.Master {
		t.Errorf("after a crash the master is %s of epoch %d, before it was %s of %d", after.Master, after.Epoch, before.Master, before.Epoch)
	}
	ok("crash", "slave")
	whole(2)
	ok("switchover")
	if top := topology(); top.Epoch <= after.Epoch {
		t.Errorf("after a switchover the epoch is %d, before %d", top.Epoch, after.Epoch)
	}
	ok("scale", "3")
	whole(3)
	if out := ok("scale", "auto"); !strings.Contains(out, "automatic") {
		t.Errorf("scale auto:\n%s", out)
	}
	ok("--help")
	ok("run", "--help")
	ok("--version")
}

func TestFaultsSayWhatToDo(t *testing.T) {
	addr, data := freeAddr(t), t.TempDir()
	run(t, addr, data)
	tests := []struct {
		name string
		cmd  *exec.Cmd
		code int
		want string
	}{
		{"the port is taken", command(addr, t.TempDir(), "run"), 1, "set RIDESHARE_ADDR"},
		{"the data is in use", command(freeAddr(t), data, "run"), 1, "in use by another process"},
		{"nothing runs there", command(freeAddr(t), "", "status"), 4, "Is it running?"},
		{"no such worker", command(addr, "", "switchover", "nobody"), 1, "nobody"},
		{"too many slaves", command(addr, "", "scale", "99"), 1, "from 1 to 5"},
		{"not a number", command(addr, "", "scale", "many"), 2, "neither a number nor auto"},
		{"no such command", command(addr, "", "explode"), 2, "unknown command"},
		{"crash of what?", command(addr, "", "crash", "everything"), 2, "everything"},
		{"a wrong flag", command(addr, "", "status", "--colour"), 2, "unknown flag"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			out, err := test.cmd.CombinedOutput()
			if code := test.cmd.ProcessState.ExitCode(); code != test.code {
				t.Errorf("exit code %d (%v), want %d", code, err, test.code)
			}
			if !strings.Contains(string(out), test.want) {
				t.Errorf("it does not say %q:\n%s", test.want, out)
			}
		})
	}
}

func TestTokensAreAskedFor(t *testing.T) {
	addr, data := freeAddr(t), t.TempDir()
	t.Setenv("RIDESHARE_AUTH", "on")
	p := run(t, addr, data)
	out, err := command(addr, "", "status").CombinedOutput()
	if err == nil || !strings.Contains(string(out), "--token") {
		t.Errorf("status without a token: %v\n%s", err, out)
	}
	kept, err := os.ReadFile(filepath.Join(data, "secrets.json"))
	if err != nil {
		t.Fatal(err)
	}
	var secrets struct {
		ServiceToken string `json:"service_token"`
	}
	if err := json.Unmarshal(kept, &secrets); err != nil {
		t.Fatal(err)
	}
	if out, err := command(addr, "", "status", "--token", secrets.ServiceToken).CombinedOutput(); err != nil {
		t.Errorf("status with the token: %v\n%s", err, out)
	}
	if strings.Contains(p.out.String(), secrets.ServiceToken) {
		t.Error("the service token is printed")
	}
}
