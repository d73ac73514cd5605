package main

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// errInterrupted stands for every error that a signal has caused: what it cut off says nothing about
// the system.
var errInterrupted = errors.New("interrupted")

// unlessInterrupted returns err, or errInterrupted if ctx has ended.
func unlessInterrupted(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil {
		return errInterrupted
	}
	return err
}

// lastChance is how long something that was interrupted may take to end by itself.
const lastChance = 500 * time.Millisecond

// interruptible calls f, which may hang in a system call that a context does not end: opening a pipe,
// reading or writing one. It returns errInterrupted lastChance after the end of ctx at the latest, and f
// may then go on until the program ends.
func interruptible[T any](ctx context.Context, f func() (T, error)) (T, error) {
	type result struct {
		value T
		err   error
	}
	done := make(chan result, 1)
	go func() {
		value, err := f()
		done <- result{value, err}
	}()
	late := make(chan struct{})
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(lastChance, func() { close(late) }) })
	defer stop()
	select {
	case r := <-done:
		return r.value, unlessInterrupted(ctx, r.err)
	case <-late:
		var none T
		return none, errInterrupted
	}
}

// endings are the signals that end a command in good order. INT and HUP are not among them if the
// program was started to ignore them, as `nohup` and the background jobs of scripts are.
func endings() []os.Signal {
	signals := []os.Signal{syscall.SIGTERM}
	for _, s := range []os.Signal{os.Interrupt, syscall.SIGHUP} {
		if !signal.Ignored(s) {
			signals = append(signals, s)
		}
	}
	return signals
}
