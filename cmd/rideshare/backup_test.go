package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"rideshare/client"
	"rideshare/internal/db"
)

var manyRides = flag.Int("rides", 3000, "how many rides are backed up and restored; with 1000000 also the time is checked")

// fill writes users, rides and a rider for every tenth ride, and returns how many rows that is.
func (s *shell) fill(rides int) (rows int64) {
	s.Helper()
	c := s.client()
	var users client.WriteRequest
	for i := range 10 {
		users.Ops = append(users.Ops, client.WriteOp{Insert: "users", Values: map[string]any{
			"username": fmt.Sprintf("user \"%d\" ü", i), "password_hash": "h"}})
	}
	if _, err := c.DBWrite(context.Background(), users); err != nil {
		s.Fatal(err)
	}
	var g errgroup.Group
	g.SetLimit(4)
	for first := 0; first < rides; first += 500 {
		g.Go(func() error {
			var w client.WriteRequest
			for i := first; i < min(first+500, rides); i++ {
				by := fmt.Sprintf("user \"%d\" ü", i%10)
				w.Ops = append(w.Ops, client.WriteOp{Insert: "rides", Values: map[string]any{
					"ride_id": map[string]any{"$next": "rides"}, "created_by": by, "source": i%198 + 1, "destination": (i+1)%198 + 1,
					"departs_at": time.Date(2026, 12, 1, 0, i%60, 0, i*1000, time.UTC),
				}})
			}
			_, err := c.DBWrite(context.Background(), w)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		s.Fatal(err)
	}
	var riders client.WriteRequest
	for i := range min(rides/10, 900) {
		riders.Ops = append(riders.Ops, client.WriteOp{Insert: "riders", Values: map[string]any{
			"ride_id": i + 1, "username": fmt.Sprintf("user \"%d\" ü", (i+1)%10), "joined": map[string]any{"$next": "riders"}}})
	}
	if _, err := c.DBWrite(context.Background(), riders); err != nil {
		s.Fatal(err)
	}
	return int64(10 + rides + len(riders.Ops))
}

// TestBackupWipeRestore is the operator's way: back up, lose everything, bring it back.
func TestBackupWipeRestore(t *testing.T) {
	s := system(t)
	rows := s.fill(*manyRides)
	file := filepath.Join(t.TempDir(), "rides.backup")
	heap := watchHeap(t)
	before := decode[backupResult](s, "backup", file)
	t.Logf("backup: %d rows, %.1f MB in %.2f s, heap at most %d MB more (system and command)", before.Rows, float64(before.Bytes)/1e6, before.Seconds, heap()>>20)
	if before.Rows != rows {
		t.Errorf("%d rows of %d are in the backup", before.Rows, rows)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 || info.Size() != before.Bytes {
		t.Errorf("%v, %v", info, err)
	}
	if *manyRides >= 1_000_000 && before.Seconds > 60 {
		t.Errorf("it took %.1f s", before.Seconds)
	}
	if r := s.run("backup", file); r.code != exitFailed || !strings.Contains(r.err, "--force") {
		t.Errorf("over a file that is there: %+v", r)
	}

	// Into a system that holds data: nothing happens.
	if r := s.run("restore", file); r.code != exitFailed || !strings.Contains(r.err, "10 users") || !strings.Contains(r.err, "nothing was changed") {
		t.Errorf("over data: %+v", r)
	}
	if err := s.client().DBClear(t.Context()); err != nil {
		t.Fatal(err)
	}
	restored := decode[restoreResult](s, "restore", file)
	t.Logf("restore: %d rows in %.2f s", restored.Rows, restored.Seconds)
	again := filepath.Join(t.TempDir(), "again.backup")
	after := decode[backupResult](s, "backup", again)
	if after.Content != before.Content || restored.Content != before.Content || after.Rows != rows {
		t.Errorf("before %+v, restored %+v, after %+v", before, restored, after)
	}
	// Numbers go on where they were.
	next, err := s.client().DBWrite(t.Context(), client.WriteRequest{Ops: []client.WriteOp{{Insert: "rides", Values: map[string]any{
		"ride_id": map[string]any{"$next": "rides"}, "created_by": `user "1" ü`, "source": 1, "destination": 2, "departs_at": time.Now()}}}})
	if err != nil || fmt.Sprint(next.Results[0].Values["ride_id"]) != fmt.Sprint(*manyRides+1) {
		t.Errorf("the next ride: %+v, %v", next, err)
	}
	forced := decode[restoreResult](s, "restore", file, "--force")
	if forced.Content != before.Content {
		t.Errorf("with --force: %+v", forced)
	}
	if v := decode[verification](s, "verify"); !v.Equal {
		t.Errorf("%+v", v)
	}
}

// watchHeap returns a function that says how much the heap has grown at most since.
func watchHeap(t *testing.T) (most func() uint64) {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	base := m.HeapAlloc
	var peak atomic.Uint64
	background(t, func(ctx context.Context) error {
		tick := time.NewTicker(100 * time.Millisecond)
		defer tick.Stop()
		for {
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			peak.Store(max(peak.Load(), m.HeapAlloc))
			select {
			case <-tick.C:
			case <-ctx.Done():
				return nil
			}
		}
	})
	return func() uint64 { return max(peak.Load(), base) - base }
}

// resealed gives lines that were changed the checksums of a whole backup.
func resealed(t *testing.T, lines []string) []byte {
	t.Helper()
	n := len(lines) - 1
	all, content := sha256.New(), sha256.New()
	for i, line := range lines[:n] {
		all.Write([]byte(line))
		if i > 0 && i < n-1 { // not the header, nor the sequences
			content.Write([]byte(line))
		}
	}
	var trailer map[string]any
	if err := json.Unmarshal([]byte(lines[n]), &trailer); err != nil {
		t.Fatal(err)
	}
	trailer["content"], trailer["sha256"] = fmt.Sprintf("%x", content.Sum(nil)), fmt.Sprintf("%x", all.Sum(nil))
	trailer["rows"] = n - 2 - len(db.Tables)
	end, err := json.Marshal(trailer)
	if err != nil {
		t.Fatal(err)
	}
	return []byte(strings.Join(lines[:n], "") + string(end) + "\n")
}

// A crafted backup, whose checksums are right, is refused before anything is deleted.
func TestCraftedBackupsChangeNothing(t *testing.T) {
	s := system(t)
	s.fill(50)
	file := filepath.Join(t.TempDir(), "b")
	before := decode[backupResult](s, "backup", file)
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	lines := slices.Collect(strings.Lines(string(whole)))
	index := func(prefix string) int {
		t.Helper()
		i := slices.IndexFunc(lines, func(line string) bool { return strings.HasPrefix(line, prefix) })
		if i < 0 {
			t.Fatalf("the backup has no line that begins with %s", prefix)
		}
		return i
	}
	users, rides, sequences := index(`{"table":"users"`), index(`{"table":"rides"`), index(`{"sequences"`)
	with := func(i int, replace ...string) []byte {
		changed := slices.Concat(lines[:i], replace, lines[i+1:])
		return resealed(t, changed)
	}
	for name, test := range map[string]struct {
		data []byte
		says string
	}{
		"a ride of nobody":        {with(rides+1, `[1,"nobody",1,2,1893456000000000]`+"\n"), "refers to nobody"},
		"a ride twice":            {with(rides+1, lines[rides+1], lines[rides+1]), "stands behind"},
		"users in another order":  {with(users+1, lines[users+2], lines[users+1]), "stands behind"},
		"a number of any time":    {with(rides+1, `[{"$next":"rides"},"user0",1,2,1893456000000000]`+"\n"), "the value of ride_id"},
		"a sequence too far":      {with(sequences, `{"sequences":{"rides":9007199254740993}}`+"\n"), `the sequence "rides"`},
		"a sequence before 0":     {with(sequences, `{"sequences":{"rides":-1}}`+"\n"), `the sequence "rides"`},
		"a sequence of something": {with(sequences, `{"sequences":{"x":1}}`+"\n"), `the sequence "x"`},
	} {
		path := filepath.Join(t.TempDir(), "crafted")
		if err := os.WriteFile(path, test.data, 0o600); err != nil {
			t.Fatal(err)
		}
		if r := s.run("restore", "--force", path); r.code != exitFailed || !strings.Contains(r.err, "nothing was changed") || !strings.Contains(r.err, test.says) {
			t.Errorf("%s: %+v", name, r)
		}
	}
	if after := decode[backupResult](s, "backup", file, "--force"); after.Content != before.Content {
		t.Errorf("before %+v, after %+v", before, after)
	}
	odd := filepath.Join(t.TempDir(), "odd")
	if err := os.WriteFile(odd, with(users, lines[users], `["! a/b","none","","a"]`+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if r := s.run("restore", "--force", odd); r.code != 0 || !strings.Contains(r.err, `1 users have names that the API does not take, as "! a/b"`) {
		t.Errorf("a user whom the API cannot name: %+v", r)
	}
}

func TestDamagedBackupsChangeNothing(t *testing.T) {
	s := system(t)
	rows := s.fill(50)
	file := filepath.Join(t.TempDir(), "b")
	before := decode[backupResult](s, "backup", file)
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{
		"cut":     whole[:len(whole)-100],
		"another": bytes.Replace(whole, []byte(`,1,2,`), []byte(`,1,3,`), 1),
		"empty":   nil,
		"nothing": []byte("hello\n"),
	} {
		if bytes.Equal(data, whole) {
			t.Fatalf("%s is not damaged", name)
		}
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		if r := s.run("restore", "--force", path); r.code != exitFailed || !strings.Contains(r.err, "nothing was changed") {
			t.Errorf("%s: %+v", name, r)
		}
	}
	if after := decode[backupResult](s, "backup", file, "--force"); after.Content != before.Content || after.Rows != rows {
		t.Errorf("before %+v, after %+v", before, after)
	}
	if r := s.run("restore", filepath.Join(t.TempDir(), "missing")); r.code != exitFailed {
		t.Errorf("a file that is not there: %+v", r)
	}
	if r := s.run("backup", filepath.Join(t.TempDir(), "no", "such", "folder")); r.code != exitFailed {
		t.Errorf("into a folder that is not there: %+v", r)
	}
}

// TestInterruptedRestore: it says so, and can be repeated.
func TestInterruptedRestore(t *testing.T) {
	s := system(t)
	s.fill(3000)
	file := filepath.Join(t.TempDir(), "b")
	before := decode[backupResult](s, "backup", file)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	// In front of the system stands what lets two writes through, and then somebody presses Ctrl-C.
	target, err := url.Parse(s.url)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target) }, Transport: transport,
		ErrorLog: log.New(io.Discard, "", 0)}
	var writes atomic.Int64
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/api/v1/db/write" && writes.Add(1) > 2 {
			cancel()
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(front.Close)
	r := (&shell{TB: t, url: front.URL, vars: s.vars}).runContext(ctx, "restore", "--force", file)
	if r.code != exitInterrupted || !strings.HasSuffix(r.err, "Run it again with --force: interrupted\n") || strings.Contains(r.err, " 0 of ") {
		t.Fatalf("%+v", r)
	}
	if r := s.run("restore", file); r.code != exitFailed || !strings.Contains(r.err, "--force") {
		t.Errorf("over a part: %+v", r)
	}
	if after := decode[restoreResult](s, "restore", "--force", file); after.Content != before.Content {
		t.Errorf("before %+v, after %+v", before, after)
	}
}
