package chaos

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"rideshare/e2e/compose"
	"rideshare/e2e/netcut"
	"rideshare/e2e/stack"
	"rideshare/internal/cluster"
)

// injector does what the plan says to the containers of a site.
type injector struct {
	*compose.Site
}

// target is what a fault happens to, as it is at this moment.
type target struct {
	Fault
	container string
	cuts      []netcut.Cut
	worker    string // the id of the worker that has to be replaced; empty: none
	pair      compose.Pair
}

// errNotInjected: the fault did not come about.
var errNotInjected = errors.New("not injected")

// aim finds out what the faults of a step happen to. It fails where there is no such part now.
func (i *injector) aim(f Fault) (target, error) {
	t := target{Fault: f}
	var err error
	if !f.Part.ofPairs() {
		t.container, err = i.service(f.Part)
	} else if t.pair, err = i.pairOf(f.Part, f.Nth); err == nil {
		t.container = t.pair.WorkerContainer
		if f.Part == MasterDatabase || f.Part == SlaveDatabase {
			t.container = t.pair.DatabaseContainer
		}
	}
	if err == nil && f.Kind == Kill && f.Part.ofPairs() {
		t.worker = t.pair.ID
	}
	if err == nil && f.Kind == Cut {
		var cutOffs []compose.CutOff
		if cutOffs, err = i.cutOffs(t); err == nil {
			t.cuts, err = i.Cuts(f.For, cutOffs...)
		}
	}
	if err != nil {
		return t, fmt.Errorf("%w: %w", errNotInjected, err)
	}
	return t, nil
}

// pairOf returns the pair of the master, or of one of the slaves.
func (i *injector) pairOf(p Part, nth int) (compose.Pair, error) {
	topology, err := i.Topology()
	if err != nil {
		return compose.Pair{}, err
	}
	role := cluster.Slave
	if p == Master || p == MasterDatabase {
		role = cluster.Master
	}
	candidates := slices.DeleteFunc(slices.Clone(topology.Workers), func(w cluster.Worker) bool { return w.Role != role })
	if len(candidates) == 0 {
		return compose.Pair{}, fmt.Errorf("there is no %s", role)
	}
	return i.PairOf(candidates[nth%len(candidates)], topology.Epoch), nil
}

// service returns the container of a part that is a service; none of one that is several.
func (i *injector) service(p Part) (string, error) {
	name, err := string(p), error(nil)
	switch p {
	case Brokers:
		return "", nil
	case LogBroker:
		name, err = i.LeaderOf("rideshare.sync")
	case WritesBroker:
		name, err = i.LeaderOf("rideshare.writes")
	case LeadingKeeper:
		name, err = i.Keeper("leader")
	default: // a service, which has its name
	}
	if err != nil {
		return "", err
	}
	return i.Stack.Service(name)
}

// inject makes the fault, lets it last, and takes it back, also where ctx ends. It returns
// errNotInjected where it did not come about, and another error where it could not be taken back.
func (i *injector) inject(ctx context.Context, t target) error {
	switch t.Kind {
	case Kill:
		if t.Part.ofPairs() {
			return begin("kill", t.container)
		}
		return i.lasting(ctx, t, []string{"kill"}, []string{"start"})
	case Pause:
		return i.lasting(ctx, t, []string{"pause"}, []string{"unpause"})
	case Jump:
		return i.jump(ctx, t)
	case Alarm:
		return i.lasting(ctx, t,
			[]string{"exec", "rabbitmqctl", "set_vm_memory_high_watermark", "0.00001"},
			[]string{"exec", "rabbitmqctl", "set_vm_memory_high_watermark", "absolute", brokerMemory})
	case Cut:
		return i.cut(ctx, t)
	case Slow:
		return i.slow(ctx, t)
	case Fill:
		return i.fill(ctx, t)
	}
	return fmt.Errorf("%w: unknown kind %s", errNotInjected, t.Kind)
}

// brokerMemory is what deploy/rabbitmq.conf says.
const brokerMemory = "512MB"

// on returns the arguments of a docker command on the container: its name comes second.
func on(container string, command []string) []string {
	return slices.Insert(slices.Clone(command), 1, container)
}

// begin runs the command of docker that is the fault.
func begin(command ...string) error {
	if _, err := stack.Docker(command...); err != nil {
		return fmt.Errorf("%w: %w", errNotInjected, err)
	}
	return nil
}

// lasting runs a command on the container, and another when the fault has lasted.
func (i *injector) lasting(ctx context.Context, t target, from, to []string) error {
	if err := begin(on(t.container, from)...); err != nil {
		return err
	}
	last(ctx, t.For)
	return i.end(t, to)
}

// end takes a fault back. The watcher may have taken the container itself away, as it replaces what
// does not answer.
func (i *injector) end(t target, command []string) error {
	_, err := stack.Docker(on(t.container, command)...)
	if err == nil || !t.Part.ofPairs() {
		return err
	}
	if state, _ := stack.Docker("inspect", "-f", "{{.State.Status}}", t.container); state == "paused" {
		return err
	}
	return nil
}

// last lets a fault last.
func last(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}

// jump sets a worker's clock, which has been built so that signals do.
func (i *injector) jump(ctx context.Context, t target) error {
	there, back := "USR1", "USR2"
	if t.Back {
		there, back = back, there
	}
	if err := begin("kill", "-s", there, t.container); err != nil {
		return err
	}
	last(ctx, t.For)
	log, err := stack.Docker("logs", "--since", "1m", t.container)
	if err != nil || !strings.Contains(log, jumped) {
		return errors.Join(fmt.Errorf("%w: the worker does not say that its clock jumped", errNotInjected), err)
	}
	return i.end(t, []string{"kill", "-s", back})
}
