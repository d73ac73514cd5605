package boot

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// helperVariable makes the test binary a program that relaxes its timers and tells of it.
const helperVariable = "BOOT_TEST_SLACK"

const unreadable = "may not be read"

func TestMain(m *testing.M) {
	if os.Getenv(helperVariable) == "" {
		os.Exit(m.Run())
	}
	err := relaxTimers()
	runtime.LockOSThread() // so that the thread that reads is the same throughout
	threads, _ := filepath.Glob("/proc/self/task/*")
	for _, t := range threads {
		slack, err := os.ReadFile(filepath.Join("/proc", filepath.Base(t), "timerslack_ns"))
		if os.IsPermission(err) {
			fmt.Println(unreadable)
			continue
		}
		fmt.Printf("%s", slack)
	}
	fmt.Println(os.Args[1:], err)
	os.Exit(0)
}

// TestAllThreadsAreRelaxed: the threads that are there before main have the slack, too, and the program is the same.
func TestAllThreadsAreRelaxed(t *testing.T) {
	c := exec.CommandContext(t.Context(), os.Args[0], "an argument")
	c.Env = append(os.Environ(), helperVariable+"=1")
	out, err := c.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	slacks, said := lines[:len(lines)-1], lines[len(lines)-1]
	if said != "[an argument] <nil>" || len(slacks) == 0 {
		t.Errorf("it says %q", out)
	}
	readable := 0
	for _, slack := range slacks {
		if slack == unreadable {
			continue // that of another thread takes CAP_SYS_NICE
		}
		readable++
		if slack != fmt.Sprint(timerSlack.Nanoseconds()) {
			t.Errorf("a thread has a slack of %s ns, want %d", slack, timerSlack.Nanoseconds())
		}
	}
	t.Logf("%d of %d threads could be looked at", readable, len(slacks))
	if readable == 0 {
		t.Errorf("no thread's slack can be read: %q", slacks)
	}
}
