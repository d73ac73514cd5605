// Command bench measures the system side by side with others, in one run on one machine, and writes
// the figures, the goals and the pictures into the documentation:
//
//   - a plain HTTP server before one MySQL with the same settings,
//   - the same server before MySQL Group Replication, of three nodes,
//   - our own system in one process.
//
// All of them are up all the time, and have their turns one after the other in each round; what the
// idle ones cost is measured and stated. With -growth it measures instead what more rides cost, and with -cost what a
// request costs each part of our system.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"rideshare/e2e/stack"
)

// options are the flags.
type options struct {
	root     string
	rounds   int
	warmUp   time.Duration
	measured time.Duration
	kills    int
	publish  bool
	growth   bool
	budget   bool
	most     int
}

func main() {
	var o options
	flag.StringVar(&o.root, "root", ".", "the folder of the checkout")
	flag.IntVar(&o.rounds, "rounds", 3, "how many rounds there are")
	flag.DurationVar(&o.warmUp, "warm-up", time.Second, "how long the load is on before it is measured, in whole seconds")
	flag.DurationVar(&o.measured, "measured", 2*time.Second, "how long each measurement takes, in whole seconds")
	flag.IntVar(&o.kills, "kills", 3, "how many primaries are killed of each system")
	flag.BoolVar(&o.publish, "publish", false, "write the figures and pictures into docs/")
	flag.BoolVar(&o.growth, "growth", false, "measure what more rides cost, instead of other systems")
	flag.BoolVar(&o.budget, "cost", false, "measure what a request costs each part of our system, without other systems")
	flag.IntVar(&o.most, "rides", 1_000_000, "how many rides there are in the end of -growth")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the program at once, and leaves the containers
	err := run(ctx, o)
	if ctx.Err() != nil {
		err = fmt.Errorf("interrupted: %w", err)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options) (err error) {
	if o.root, err = filepath.Abs(o.root); err != nil {
		return err
	}
	folder, err := os.MkdirTemp("", "bench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder) //nolint:errcheck // it is a temporary folder
	g, err := newGenerator(folder)
	if err != nil {
		return err
	}
	s, err := stack.New(o.root, filepath.Join(folder, "secrets"))
	if err != nil {
		return err
	}
	// Also after an error and after Ctrl-C.
	defer func() {
		say("removing the containers ...")
		err = errors.Join(err, s.Down())
	}()
	switch {
	case o.growth:
		return growth(ctx, o, g, s)
	case o.budget:
		return budget(ctx, o, g, s)
	}
	return compare(ctx, o, g, s)
}

// say prints a line of progress.
func say(format string, args ...any) {
	fmt.Printf("%s  %s\n", time.Now().Format(time.TimeOnly), fmt.Sprintf(format, args...))
}
