package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"rideshare/client"
	"rideshare/internal/store"
	"rideshare/watcher"
)

const topologyJSON = `{"epoch":3,"master":"p1.1","log_leader":{"worker":"p1.1","epoch":3},"registry_leader":{"worker":"p1.1","epoch":3},"workers":[
{"id":"p1.1","pair":"p1","addr":"a:7000","role":"master","state":"serving","pid":4330,"position":"3.9","lag":0,"reads":0,"database":"ok"},
{"id":"p2.1","pair":"p2","role":"slave","state":"serving","pid":1000,"position":"3.9","lag":0,"reads":123456,"database":"ok"},
{"id":"p3.12","pair":"p3","role":"slave","state":"joining","pid":21,"position":"0.0","lag":9,"reads":0,"database":"ok"}],
"desired":{"slaves":2,"auto":true,"min":1,"max":5},
"recoveries":[{"at":"2026-11-22T10:00:00Z","what":"p1.1 is master of epoch 3","why":"master p3.11: worker died","duration_ms":196}]}`

func TestGolden(t *testing.T) {
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("TZ", "UTC")
	local := time.Local
	time.Local = time.UTC // what the process has read from TZ before
	t.Cleanup(func() { time.Local = local })
	s := answering(t, map[string]string{
		"/api/v1/cluster": topologyJSON, "/api/v1/cluster/slaves": topologyJSON, "/api/v1/crash/slave": `["1000"]`,
		"/api/v1/db/checksums": `[{"worker":"p1.1","seq":9,"checksum":"ab12"},{"worker":"p2.1","seq":9,"checksum":"ab12"}]`,
	})
	for name, args := range map[string][]string{
		"status": {"status"}, "status-json": {"status", "-o", "json"},
		"workers": {"workers"}, "workers-json": {"workers", "-o", "json"},
		"recoveries": {"recoveries"}, "recoveries-json": {"recoveries", "-o", "json"},
		"verify": {"verify"}, "verify-json": {"verify", "-o", "json"},
		"scale": {"scale", "2"}, "crash": {"crash", "slave"},
	} {
		t.Run(name, func(t *testing.T) { golden(t, here, name, s.ok(args...)) })
	}
}

// While the registry and the log disagree about who leads, status names both.
func TestStatusNamesBothLeaders(t *testing.T) {
	limbo := strings.NewReplacer(`"registry_leader":{"worker":"p1.1","epoch":3}`, `"registry_leader":{"worker":"p2.1","epoch":4}`,
		`"id":"p2.1"`, `"id":"p2.1","cut_off":true`).Replace(topologyJSON)
	out := answering(t, map[string]string{"/api/v1/cluster": limbo}).ok("status")
	for _, want := range []string{"master p1.1, epoch 3", "the registry has elected p2.1 for epoch 4; according to the log p1.1 leads, epoch 3", "serving, cut off"} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is not in\n%s", want, out)
		}
	}
}

func TestColours(t *testing.T) {
	s := answering(t, map[string]string{"/api/v1/cluster": topologyJSON})
	for name, c := range map[string]struct {
		terminal bool
		vars     []string
		coloured bool
	}{
		"terminal": {true, nil, true}, "pipe": {false, nil, false},
		"NO_COLOR": {true, []string{"NO_COLOR=1"}, false}, "dumb": {true, []string{"TERM=dumb"}, false},
	} {
		var out bytes.Buffer
		env := environment{out: &out, err: &out, outIsTerminal: c.terminal, vars: append(c.vars, "RIDESHARE_URL="+s.url)}
		if code := run(t.Context(), env, []string{"status"}); code != 0 || strings.Contains(out.String(), "\x1b[") != c.coloured {
			t.Errorf("%s: exit code %d, printed %q", name, code, out.String())
		}
	}
}

// What comes from outside cannot make a terminal do things.
func TestControlCharactersAreNotPrinted(t *testing.T) {
	evil := strings.Replace(topologyJSON, `"id":"p1.1"`, `"id":"p\u001b[2J\t\u009b1.1"`, 1)
	s := answering(t, map[string]string{"/api/v1/cluster": evil})
	if out := s.ok("workers"); strings.ContainsAny(out, "\x1b\u009b\t") {
		t.Errorf("%q", out)
	}
}

func TestWatch(t *testing.T) {
	s := answering(t, map[string]string{"/api/v1/cluster": topologyJSON})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var out writerFunc = func(b []byte) (int, error) {
		if n := bytes.Count(b, []byte("\n")); n != 1 {
			t.Errorf("%d lines at once: %s", n, b)
		}
		cancel()
		return len(b), nil
	}
	env := environment{out: out, err: out, vars: []string{"RIDESHARE_URL=" + s.url}}
	if code := run(ctx, env, []string{"status", "--watch", "-o", "json"}); code != 0 {
		t.Errorf("exit code %d after Ctrl-C", code)
	}
	if r := s.run("status", "--watch", "--interval", "0s"); r.code != exitUsage {
		t.Errorf("%+v", r)
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(b []byte) (int, error) { return f(b) }

// That the data is lost is not hidden by the signal that ended the system.
func TestALossIsNoInterruption(t *testing.T) {
	interrupted, cancel := context.WithCancel(t.Context())
	cancel()
	for _, loss := range []error{store.ErrGone, watcher.ErrLost} {
		if code := exitCode(interrupted, fmt.Errorf("the end: %w", loss)); code != exitFailed {
			t.Errorf("%v: exit code %d", loss, code)
		}
	}
	if code := exitCode(interrupted, errors.New("no connection")); code != exitInterrupted {
		t.Errorf("exit code %d", code)
	}
}

func TestExitCodes(t *testing.T) {
	s := answering(t, map[string]string{
		"/api/v1/crash/master":       `{"title":"Conflict","status":409,"detail":"there is no master"}`,
		"/api/v1/cluster":            `{"title":"Unauthorized","status":401,"detail":"a bearer token is required"}`,
		"/api/v1/cluster/switchover": `{"title":"Service Unavailable","status":503,"detail":"nobody"}`,
		"/api/v1/db/checksums":       `[{"worker":"p1.1","seq":9,"checksum":"ab12"},{"worker":"p2.1","seq":9,"checksum":"cd34"}]`,
	})
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	for _, test := range []struct {
		args string
		code int
		says string
	}{
		{"crash master", exitFailed, "there is no master"},
		{"scale many", exitUsage, "neither a number nor auto"},
		{"status --colour", exitUsage, "unknown flag"},
		{"status -o yaml", exitUsage, "must be table or json"},
		{"crash everything", exitUsage, "everything"},
		{"explode", exitUsage, "unknown command"},
		{"status --url ftp://x", exitUsage, `--url is "ftp://x": it must be a URL such as http://host:8080`},
		{"status --url http://", exitUsage, "--url"},
		{"status --url http://127.0.0.1:99999", exitUsage, "--url"},
		{"status --url http://127.0.0.1/?a=b", exitUsage, "--url"},
		{"doctor --url 127.0.0.1:8080", exitUsage, "--url"},
		{"scale 0", exitUsage, "at least 1"},
		{"status --watch --interval 5", exitUsage, `"5" for "--interval" flag: it must be a duration such as 500ms`},
		{"verify --timeout 0s", exitUsage, "at least 1ms"},
		{"doctor --wait -1s", exitUsage, "it must be a duration"},
		{"load --rides many", exitUsage, `"many" for "--rides" flag: it must be a whole number from 1 to 1000000`},
		{"verify", exitFound, ""},
		{"status --url http://127.0.0.1:1", exitUnanswered, "Is it running?"},
		{"switchover", exitUnanswered, "nobody"},
		{"status", exitUnauthorized, "--token"},
	} {
		if r := s.run(strings.Fields(test.args)...); r.code != test.code || !strings.Contains(r.err, test.says) {
			t.Errorf("%s: exit code %d, not %d; it does not say %q:\n%s", test.args, r.code, test.code, test.says, r.err)
		}
	}
	for _, args := range []string{"status", "workers", "recoveries", "crash master", "switchover", "scale 2", "load", "verify", "doctor", "backup b"} {
		if r := s.runContext(cancelled, strings.Fields(args)...); r.code != exitInterrupted || !strings.HasSuffix(r.err, "rideshare: interrupted\n") || strings.Contains(r.err, "no answer") {
			t.Errorf("%s, interrupted: %+v", args, r)
		}
	}
}

// TestWrongTokens: what no request can carry is not blamed on the system, and is not printed.
func TestWrongTokens(t *testing.T) {
	s := answering(t, map[string]string{"/api/v1/cluster": topologyJSON})
	for _, err := range []error{
		os.WriteFile("token", []byte("sec\nret\n"), 0o600), os.WriteFile("empty", nil, 0o600),
		os.Mkdir(".secrets", 0o700), os.WriteFile(".secrets/service_token", []byte("sec\nret\n"), 0o600),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, test := range []struct{ args, variable, says string }{
		{"--token=sec\nret", "", "--token has a wrong value"},
		{"--token=secret\r", "", "--token has a wrong value"},
		{"", "RIDESHARE_SERVICE_TOKEN=sec\nret", "RIDESHARE_SERVICE_TOKEN has a wrong value"},
		{"", "RIDESHARE_SERVICE_TOKEN_FILE=token", "RIDESHARE_SERVICE_TOKEN has a wrong value"},
		{"", "RIDESHARE_SERVICE_TOKEN_FILE=empty", `RIDESHARE_SERVICE_TOKEN_FILE is "empty"`},
		{"", "RIDESHARE_SERVICE_TOKEN_FILE=missing", `RIDESHARE_SERVICE_TOKEN_FILE is "missing"`},
		{"", "", "the token in .secrets/service_token has a wrong value"},
	} {
		for _, command := range []string{"status", "doctor", "backup b", "restore token"} {
			s.vars = []string{test.variable}
			args := strings.Fields(command)
			if test.args != "" {
				args = append(args, test.args)
			}
			r := s.run(args...)
			if r.code != exitUsage || !strings.Contains(r.err, test.says) || strings.Contains(r.err, "ret") && strings.Contains(r.err, "sec\n") || strings.Contains(r.err, "Is it running?") {
				t.Errorf("%s with %+v: %+v", command, test, r)
			}
		}
	}
	if r := (&shell{TB: t, url: "nonsense"}).run("status"); r.code != exitUsage || !strings.Contains(r.err, `RIDESHARE_URL is "nonsense"`) {
		t.Errorf("%+v", r)
	}
	if err := errors.Join(os.RemoveAll(".secrets"), os.Mkdir("data", 0o700), os.WriteFile("data/secrets.json", []byte("{"), 0o600)); err != nil {
		t.Fatal(err)
	}
	if r := (&shell{TB: t, url: s.url}).run("status"); r.code != exitUsage || !strings.Contains(r.err, "data/secrets.json is damaged") {
		t.Errorf("%+v", r)
	}
	if r := (&shell{TB: t, url: s.url, vars: []string{"RIDESHARE_AREAS=one"}}).run("run"); r.code != exitUsage || !strings.Contains(r.err, `RIDESHARE_AREAS is "one"`) {
		t.Errorf("%+v", r)
	}
}

func TestVerifyGivesUp(t *testing.T) {
	s := answering(t, map[string]string{"/api/v1/db/checksums": `[{"worker":"p1.1","seq":9,"checksum":"ab12"},{"worker":"p2.1","seq":8,"checksum":"cd34"}]`})
	if r := s.run("verify", "--timeout", "100ms"); r.code != exitFailed || !strings.Contains(r.err, "others are writing") {
		t.Errorf("%+v", r)
	}
}

func TestTokens(t *testing.T) {
	t.Chdir(t.TempDir())
	write := func(path, text string) {
		t.Helper()
		if err := os.MkdirAll(path[:strings.LastIndex(path, "/")], 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	token := func(o *operator) string {
		t.Helper()
		s, err := o.serviceToken()
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	here := &operator{url: "http://localhost:8080"}
	if got := token(here); got != "" {
		t.Errorf("without any: %q", got)
	}
	write("data/secrets.json", `{"service_token":"run","token_key":"k"}`)
	if got := token(here); got != "run" {
		t.Errorf("of rideshare run: %q", got)
	}
	write(".secrets/service_token", "up\n")
	if got := token(here); got != "up" {
		t.Errorf("of make up: %q", got)
	}
	for _, elsewhere := range []string{"https://rides.example", "http://10.0.0.1:8080", "http://127.0.0.1.rides.example"} {
		if got := token(&operator{url: elsewhere}); got != "" {
			t.Errorf("the token of this machine goes to %s: %q", elsewhere, got)
		}
	}
	write("given/token", "file\n")
	for name, c := range map[string]struct{ o, want string }{
		"file": {"RIDESHARE_SERVICE_TOKEN_FILE=given/token", "file"}, "variable": {"RIDESHARE_SERVICE_TOKEN=var", "var"},
	} {
		if got := token(&operator{url: here.url, environment: environment{vars: []string{c.o}}}); got != c.want {
			t.Errorf("%s: %q", name, got)
		}
	}
	if got := token(&operator{url: here.url, token: "flag", environment: environment{vars: []string{"RIDESHARE_SERVICE_TOKEN=var"}}}); got != "flag" {
		t.Errorf("flag: %q", got)
	}
}

func TestHelp(t *testing.T) {
	s := &shell{TB: t}
	root := newRoot(environment{})
	for _, c := range append([]*cobra.Command{root}, root.Commands()...) {
		help := s.ok(append(strings.Fields(c.CommandPath())[1:], "--help")...)
		if !strings.Contains(help, "Examples:\n  rideshare") || c.Short == "" {
			t.Errorf("%s:\n%s", c.CommandPath(), help)
		}
	}
	if help := s.ok("--help"); !strings.Contains(help, "Exit codes") {
		t.Error("the exit codes are not in the help")
	}
}

func TestCompletion(t *testing.T) {
	s := answering(t, map[string]string{"/api/v1/cluster": topologyJSON})
	if out := s.ok("__complete", "switchover", ""); !strings.Contains(out, "p2.1\t") || strings.Contains(out, "p1.1") || strings.Contains(out, "p3.12") {
		t.Errorf("switchover: %s", out)
	}
	if out := s.ok("__complete", "status", "-o", ""); !strings.Contains(out, "json\n") {
		t.Errorf("-o: %s", out)
	}
	for _, name := range []string{"bash", "zsh", "fish"} {
		if out := s.ok("completion", name); len(out) < 500 {
			t.Errorf("%s: %d bytes", name, len(out))
		}
	}
}

// TestLive looks at and changes a system that runs.
func TestLive(t *testing.T) {
	s := system(t)
	whole := func() bool {
		top := decode[client.Topology](s, "status")
		for _, w := range top.Workers {
			if w.State != "serving" {
				return false
			}
		}
		return top.Master != "" && len(top.Workers) == 3
	}
	s.eventually("a master and two slaves", whole)
	if out := s.ok("workers"); strings.Count(out, "slave") != 2 {
		t.Errorf("workers:\n%s", out)
	}
	load := decode[loadResult](s, "load", "--rides", "40", "--concurrency", "4")
	if load.Writes.Done != 40 || load.Reads.Done != 40 || load.failed() != 0 || load.Writes.Median <= 0 || load.Writes.Max < load.Writes.P99 {
		t.Errorf("%+v", load)
	}
	if rides, err := s.client().CountRides(t.Context()); err != nil || rides[0] != 0 {
		t.Errorf("after the load %v rides are there: %v", rides, err)
	}
	if v := decode[verification](s, "verify"); !v.Equal || len(v.Checksums) != 3 {
		t.Errorf("%+v", v)
	}
	s.ok("crash", "master")
	s.eventually("a master and two slaves after a crash", whole)
	s.eventually("the recovery is listed", func() bool { return strings.Contains(s.ok("recoveries"), "crashed on request") })
	before := decode[client.Topology](s, "status")
	s.ok("switchover")
	if after := decode[client.Topology](s, "status"); after.Epoch <= before.Epoch {
		t.Errorf("epoch %d after %d", after.Epoch, before.Epoch)
	}
	for _, bad := range [][]string{{"load", "--rides", "0"}, {"load", "--concurrency", "257"}, {"load", "--duration", "0s"}} {
		if r := s.run(bad...); r.code != exitUsage {
			t.Errorf("%v: %+v", bad, r)
		}
	}
}

// A pair that does not serve stands below the workers, with what it died of.
func TestStatusNamesFaults(t *testing.T) {
	var topology client.Topology
	if err := json.Unmarshal([]byte(topologyJSON), &topology); err != nil {
		t.Fatal(err)
	}
	topology.Faults = []client.PairFault{{Pair: "p4", Why: "worker died: out of memory"}, {Why: "create failed: the disk is full"}}
	var out bytes.Buffer
	o := &operator{environment: environment{out: &out}}
	if err := o.printTopology(&topology); err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{"p4         worker died: out of memory", "a new one  create failed: the disk is full"} {
		if !strings.Contains(out.String(), line) {
			t.Errorf("no line %q in\n%s", line, &out)
		}
	}
}

func TestHistory(t *testing.T) {
	s := system(t)
	if got := s.ok("history"); got != "operators have done nothing yet\n" {
		t.Errorf("at first: %q", got)
	}
	s.vars = append(s.vars, "RIDESHARE_OPERATOR=alice@laptop")
	s.ok("scale", "3")
	if r := s.run("switchover", "nobody"); r.code == 0 {
		t.Errorf("a switchover to nobody: %+v", r)
	}
	var got []string
	for _, r := range decode[[]client.Record](s, "history") {
		if r.Who != "alice@laptop" || len(r.Token) != 8 || r.From != "127.0.0.1" || time.Since(r.At) > time.Minute {
			t.Errorf("%+v", r)
		}
		got = append(got, r.What)
	}
	if want := []string{"switch over to nobody", "set the number of slaves to 3"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	if text := s.ok("history", "--limit", "1"); strings.Count(text, "\n") != 2 || !strings.Contains(text, "failed: there is no slave nobody") {
		t.Errorf("%s", text)
	}
}
