package docker

import (
	"strings"
	"testing"

	"github.com/docker/docker/api/types/container"

	"rideshare/internal/pairs"
)

func TestFaults(t *testing.T) {
	for want, state := range map[string]container.State{
		"":                              {Status: container.StateCreated},
		"out of memory":                 {OOMKilled: true, ExitCode: 137},
		"killed":                        {ExitCode: 137},
		"ended by signal 6 (aborted)":   {ExitCode: 134},
		"exited with 1":                 {ExitCode: 1},
		"exited with 0":                 {Status: container.StateExited},
		"exec: no such file: /nonsense": {Error: "exec: no such file: /nonsense", ExitCode: 127},
	} {
		if got := fault(&state); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestLastComplaint(t *testing.T) {
	for name, test := range map[string]struct{ log, want string }{
		"ours": {
			`{"level":"ERROR","msg":"earlier","why":"other"}` + "\n" +
				`{"level":"ERROR","msg":"ended","why":"worker p1.1: no connection"}` + "\n" + `{"level":"INFO","msg":"later"}` + "\n",
			"ended: worker p1.1: no connection",
		},
		"without a reason": {`{"level":"ERROR","msg":"lost"}`, "lost"},
		"MySQL's": {
			"2026-11-27T22:17:52Z 25 [Warning] [MY-012638] [InnoDB] Retry attempts failed.\n" +
				"2026-11-27T22:17:52Z 25 [ERROR] [MY-012592] [InnoDB] Operating system error number 28 in a file operation.\n" +
				"2026-11-27T22:17:53Z 0 [System] [MY-010910] [Server] Shutdown complete.\n",
			"[MY-012592] [InnoDB] Operating system error number 28 in a file operation.",
		},
		"a crash":         {"panic: nil map\n\ngoroutine 1 [running]:\nmain.main()\n", "panic: nil map"},
		"before all logs": {"worker: MYSQL_DSN is required\n\n", "worker: MYSQL_DSN is required"},
		"nothing":         {"", ""},
	} {
		t.Run(name, func(t *testing.T) {
			if got := lastComplaint(test.log); got != test.want {
				t.Errorf("%q, want %q", got, test.want)
			}
		})
	}
	if got := lastComplaint(strings.Repeat("é", 400)); len(got) > mostCause+len("...") || !strings.HasSuffix(got, "é...") {
		t.Errorf("a long line became %q", got)
	}
}

// TestADeathNamesItsCause: the event says how the process ended, and the list what it said last.
func TestADeathNamesItsCause(t *testing.T) {
	buildIdle(t)
	w := newWorld(t)
	w.config.WorkerArgs = []string{"fail", `{"level":"ERROR","msg":"ended","why":"no room on the disk"}`}
	p := w.open()
	events := p.Events(t.Context())
	pair, err := p.Create(t.Context())
	w.ok(err)
	const atOnce = "exited with 3"
	if e := w.receive(events); e.Part != pairs.WorkerPart || e.Why != atOnce {
		t.Errorf("%+v, want %q", e, atOnce)
	}
	list, err := p.List(t.Context())
	w.ok(err)
	const want = "exited with 3: ended: no room on the disk"
	if len(list) != 1 || list[0].ID != pair.ID || list[0].Worker.Fault != want {
		t.Errorf("afterwards: %+v", list)
	}
}
