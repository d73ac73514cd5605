// Command rideshare is the one binary for people: the complete system in one process, and the
// operator's commands against any running system.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"

	"github.com/mattn/go-isatty"
	"github.com/spf13/cobra"

	"rideshare/cmd/internal/boot"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), endings()...)
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	os.Exit(run(ctx, environment{
		in: os.Stdin, out: os.Stdout, err: os.Stderr, vars: os.Environ(), inIsTerminal: isatty.IsTerminal(os.Stdin.Fd()),
		outIsTerminal: isatty.IsTerminal(os.Stdout.Fd()), errIsTerminal: isatty.IsTerminal(os.Stderr.Fd()),
	}, os.Args[1:]))
}

// environment is what the program finds around it.
type environment struct {
	in       io.Reader
	out, err io.Writer
	vars     []string // as os.Environ

	inIsTerminal, outIsTerminal, errIsTerminal bool
}

func run(ctx context.Context, env environment, args []string) int {
	root := newRoot(env)
	root.SetArgs(args)
	root.SetOut(env.out)
	root.SetErr(env.err)
	began := false
	root.PersistentPreRun = func(*cobra.Command, []string) { began = true }
	err := root.ExecuteContext(ctx)
	code := exitCode(ctx, err)
	if code == exitInterrupted && !errors.Is(err, errInterrupted) {
		err = errInterrupted
	}
	if !began && err != nil {
		code = exitUsage
	}
	switch {
	case code == exitUsage:
		fmt.Fprintf(env.err, "rideshare: %v\nSee 'rideshare --help'.\n", err)
	case err != nil && !errors.Is(err, errReported):
		fmt.Fprintln(env.err, "rideshare:", err)
	}
	return code
}

func newRoot(env environment) *cobra.Command {
	root := &cobra.Command{
		Use:   "rideshare",
		Short: "A ride-sharing backend whose database heals itself",
		Long: `A ride-sharing backend whose database heals itself.

"rideshare run" starts the complete system in one process. The other commands speak to any running
system: the one that "rideshare run" or "make up" started, or another one at --url.

Operators need the service token, where tokens are asked for: --token, RIDESHARE_SERVICE_TOKEN or
RIDESHARE_SERVICE_TOKEN_FILE. For a system on this machine, what "make up" has generated is found by
itself in ./.secrets, and what "rideshare run" has generated in ./data.

NO_COLOR, set to anything, turns colours off.

` + exitCodes,
		Example:       "  rideshare run\n  rideshare status --watch\n  rideshare doctor",
		Version:       version(),
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	o := &operator{environment: env}
	root.PersistentFlags().StringVar(&o.url, "url", env.get("RIDESHARE_URL", "http://127.0.0.1:8080"), "where the system is (RIDESHARE_URL)")
	root.PersistentFlags().StringVar(&o.token, "token", "", "the service token (RIDESHARE_SERVICE_TOKEN, or RIDESHARE_SERVICE_TOKEN_FILE)")
	root.AddGroup(&cobra.Group{ID: "look", Title: "Look:"}, &cobra.Group{ID: "change", Title: "Change:"}, &cobra.Group{ID: "data", Title: "Data:"})
	grouped := func(group string, commands ...*cobra.Command) {
		for _, c := range commands {
			c.GroupID = group
			root.AddCommand(c)
		}
	}
	grouped("look", newStatus(o), newWorkers(o), newRecoveries(o), newHistory(o), newDoctor(o))
	grouped("change", newRun(env), newCrash(o), newSwitchover(o), newScale(o), newLoad(o))
	grouped("data", newBackup(o), newRestore(o), newVerify(o))
	return root
}

// get returns a variable of the environment, or the fallback where it is missing or empty.
func (e environment) get(name, fallback string) string {
	for _, v := range e.vars {
		if value, ok := strings.CutPrefix(v, name+"="); ok && value != "" {
			return value
		}
	}
	return fallback
}

// version is that of the module, or of the commit it was built from.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && len(s.Value) >= 12 {
			return boot.Version + "+" + s.Value[:12]
		}
	}
	return boot.Version
}
