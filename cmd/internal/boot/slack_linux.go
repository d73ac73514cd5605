package boot

import (
	"fmt"
	"os"
	"runtime"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// timerSlack is by how much timers may be late. Linux allows 50 µs unless it is told otherwise.
const timerSlack = 5 * time.Millisecond

// executedAnew tells a program that it was executed by itself.
const executedAnew = "TIMER_SLACK_SET"

// relaxTimers allows all timers of the program to be late by timerSlack. The monitor of Go's runtime wakes every 20 µs
// while anything happens, and takes the processor from each system call that lasts as long. On one processor, with
// a firewall in the path of each packet, that was a quarter of what a write cost at 64 connections (2026-11-30):
// see docs/decisions/0030-timer-slack.md.
//
// A thread gets its slack from the one that starts it, and the monitor is there before main. So this executes the
// program anew, once: it returns only there, or with an error.
func relaxTimers() error {
	runtime.LockOSThread() // the slack is the thread's
	defer runtime.UnlockOSThread()
	anew := os.Getenv(executedAnew) != ""
	if err := os.Unsetenv(executedAnew); err != nil {
		return err
	}
	slack, err := unix.PrctlRetInt(unix.PR_GET_TIMERSLACK, 0, 0, 0, 0)
	switch {
	case err != nil:
		return fmt.Errorf("PR_GET_TIMERSLACK: %w", err)
	case time.Duration(slack) >= timerSlack:
		return nil
	case anew: // a thread with a real-time priority has none, and the kernel does not say so
		return fmt.Errorf("it is %d ns, although it was set", slack)
	}
	program, err := os.Executable()
	if err != nil {
		return err
	}
	if err := unix.Prctl(unix.PR_SET_TIMERSLACK, uintptr(timerSlack.Nanoseconds()), 0, 0, 0); err != nil {
		return fmt.Errorf("PR_SET_TIMERSLACK: %w", err)
	}
	err = syscall.Exec(program, os.Args, append(os.Environ(), executedAnew+"=1"))
	return fmt.Errorf("executing the program anew: %w", err)
}
