package binary

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// hanging is a system whose snapshots begin, and do not end.
func hanging(t *testing.T) (url string, begun chan struct{}) {
	t.Helper()
	begun = make(chan struct{}, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, `{"format":"rideshare-backup","version":1,"schema":1,"position":"3.1","taken_at":"2026-11-22T10:00:00Z"}`+"\n")
		_ = http.NewResponseController(w).Flush()
		begun <- struct{}{}
		<-r.Context().Done()
	}))
	t.Cleanup(server.Close)
	return server.URL, begun
}

// started is a command that runs, and what it prints on standard error.
type started struct {
	*exec.Cmd
	told bytes.Buffer
	done chan error
}

func begin(t *testing.T, url string, stdin io.Reader, args ...string) *started {
	t.Helper()
	s := &started{Cmd: exec.Command(args[0], args[1:]...), done: make(chan error, 1)}
	s.Env, s.Stdin, s.Stderr = append(os.Environ(), "RIDESHARE_URL="+url), stdin, &s.told
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { s.done <- s.Wait() }()
	t.Cleanup(func() { _ = s.Process.Kill() })
	return s
}

// end sends a signal, and checks that the command says that it was interrupted, and nothing else.
func (s *started) end(t *testing.T, signal os.Signal, want string) {
	t.Helper()
	if err := s.Process.Signal(signal); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-s.done:
		var exit *exec.ExitError
		if !errors.As(err, &exit) || exit.ExitCode() != 130 || s.told.String() != want {
			t.Errorf("%v: %v, it says %q, want %q", signal, err, s.told.String(), want)
		}
	case <-time.After(20 * time.Second):
		t.Fatalf("it does not end on %v", signal)
	}
}

var signals = []os.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP}

// TestSignalsLeaveNoPartialBackup: what was there stays, and nothing is left beside it.
func TestSignalsLeaveNoPartialBackup(t *testing.T) {
	url, begun := hanging(t)
	for _, signal := range signals {
		dir := t.TempDir()
		file := filepath.Join(dir, "b")
		if err := os.WriteFile(file, []byte("good"), 0o600); err != nil {
			t.Fatal(err)
		}
		s := begin(t, url, nil, program, "backup", "--force", file)
		<-begun
		if entries, err := os.ReadDir(dir); err != nil || len(entries) != 2 {
			t.Errorf("meanwhile the folder holds %v, %v", entries, err)
		}
		s.end(t, signal, "rideshare: interrupted\n")
		entries, err := os.ReadDir(dir)
		if err != nil || len(entries) != 1 {
			t.Errorf("%v: the folder holds %v, %v", signal, entries, err)
		}
		if data, err := os.ReadFile(file); err != nil || string(data) != "good" {
			t.Errorf("%v: %q, %v", signal, data, err)
		}
	}
}

// TestSignalsEndARestoreThatReadsAPipe: nobody writes to it.
func TestSignalsEndARestoreThatReadsAPipe(t *testing.T) {
	url, _ := hanging(t)
	folder := t.TempDir()
	t.Setenv("TMPDIR", folder)
	for _, signal := range signals {
		in, out, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		s := begin(t, url, in, program, "restore", "-")
		reads(t, s.Process.Pid)
		s.end(t, signal, "rideshare: interrupted; nothing was changed\n")
		if err := errors.Join(in.Close(), out.Close()); err != nil {
			t.Error(err)
		}
	}
	if entries, err := os.ReadDir(folder); err != nil || len(entries) > 0 {
		t.Errorf("in TMPDIR is %v, %v", entries, err)
	}
}

// reads waits until a restore has the file that it copies its input to. That has no name any more.
func reads(t *testing.T, pid int) {
	t.Helper()
	fds := fmt.Sprintf("/proc/%d/fd/", pid)
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		entries, err := os.ReadDir(fds)
		if errors.Is(err, os.ErrNotExist) {
			t.Skip("there is no /proc here")
		}
		for _, e := range entries {
			if to, err := os.Readlink(fds + e.Name()); err == nil && strings.Contains(to, "rideshare-restore-") {
				return
			}
		}
	}
	t.Fatal("it reads nothing")
}

// TestHangupIsIgnoredUnderNohup: who started the command so does not want it to end with the terminal.
func TestHangupIsIgnoredUnderNohup(t *testing.T) {
	url, begun := hanging(t)
	dir := t.TempDir()
	s := begin(t, url, nil, "sh", "-c", `trap '' HUP; exec "$0" backup "$1"`, program, filepath.Join(dir, "b"))
	<-begun
	if err := s.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	s.end(t, syscall.SIGTERM, "rideshare: interrupted\n")
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 0 {
		t.Errorf("the folder holds %v, %v", entries, err)
	}
}

// TestThreeBackupsAtOnce of one system to one name: one has it, the others say so, and it is whole.
func TestThreeBackupsAtOnce(t *testing.T) {
	addr := freeAddr(t)
	run(t, addr, t.TempDir())
	url, dir := "http://"+addr, t.TempDir()
	file := filepath.Join(dir, "b")
	var backups []*started
	for range 3 {
		backups = append(backups, begin(t, url, nil, program, "backup", file))
	}
	done := 0
	for _, b := range backups {
		if err := <-b.done; err == nil {
			done++
		} else if !strings.Contains(b.told.String(), "is there already: --force replaces it") {
			t.Errorf("%v: %s", err, b.told.String())
		}
	}
	if done != 1 {
		t.Errorf("%d of 3 say that they are the file", done)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
		t.Errorf("the folder holds %v, %v", entries, err)
	}
	restore := exec.Command(program, "restore", file)
	restore.Env = append(os.Environ(), "RIDESHARE_URL="+url)
	if out, err := restore.CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
}
