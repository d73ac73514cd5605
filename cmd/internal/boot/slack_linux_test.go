package boot

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// helperVariable makes the test binary a program that relaxes its timers and tells of it.
const helperVariable = "BOOT_TEST_SLACK"

func TestMain(m *testing.M) {
	if os.Getenv(helperVariable) == "" {
		os.Exit(m.Run())
	}
	err := relaxTimers()
	threads, _ := filepath.Glob("/proc/self/task/*")
	for _, t := range threads {
		slack, err := os.ReadFile(filepath.Join("/proc", filepath.Base(t), "timerslack_ns"))
		if err != nil {
			fmt.Println(err)
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
		if strings.Contains(slack, "permission denied") && os.Geteuid() != 0 {
			continue // only root may read that of another thread
		}
		readable++
		if slack != fmt.Sprint(timerSlack.Nanoseconds()) {
			t.Errorf("a thread has a slack of %s ns, want %d", slack, timerSlack.Nanoseconds())
		}
	}
	if readable == 0 {
		t.Errorf("no thread's slack can be read: %q", slacks)
	}
}
