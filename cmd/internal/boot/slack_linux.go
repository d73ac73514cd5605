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

// relaxTimers allows all timers of the program to be late by timerSlack. The monitor of Go's runtime wakes every 20 µs
// while anything happens, and takes the processor from each system call that lasts as long: on one processor, with
// a firewall in the path of each packet, that was an eighth of what a request cost. See
// docs/decisions/0030-timer-slack.md.
//
// A thread gets its slack from the one that starts it, and the monitor is there before main. So this executes the
// program anew: it returns only there, or with an error.
func relaxTimers() error {
	runtime.LockOSThread() // the slack is the thread's
	defer runtime.UnlockOSThread()
	slack, err := unix.PrctlRetInt(unix.PR_GET_TIMERSLACK, 0, 0, 0, 0)
	if err != nil {
		return fmt.Errorf("timer slack: %w", err)
	}
	if time.Duration(slack) >= timerSlack {
		return nil
	}
	program, err := os.Executable()
	if err != nil {
		return fmt.Errorf("timer slack: %w", err)
	}
	if err := unix.Prctl(unix.PR_SET_TIMERSLACK, uintptr(timerSlack.Nanoseconds()), 0, 0, 0); err != nil {
		return fmt.Errorf("timer slack: %w", err)
	}
	return fmt.Errorf("timer slack: executing the program anew: %w", syscall.Exec(program, os.Args, os.Environ()))
}
