package main

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"syscall"

	"rideshare/client"
)

// leastFree is how many bytes a disk should have left: several times what RabbitMQ stops at.
const leastFree = 500 << 20

// diagnose says of each part how it is. It is a function of what was seen, and of nothing else.
func diagnose(o *observation) []finding {
	var all []finding
	checks := []func(*observation) finding{
		checkAddress, checkToken, checkBroker, checkZooKeeper, checkWatcher, checkMaster, checkSlaves, checkDeaths, checkDisk, checkWrites,
	}
	if o.oneProcess() { // it has neither a broker nor a ZooKeeper
		checks = slices.Delete(checks, 2, 4)
	}
	for _, check := range checks {
		all = append(all, check(o))
	}
	return all
}

// oneProcess reports whether the system runs in one process. Workers in containers have an address on a
// network. Where no worker is seen, a system without containers whose data folder is here is taken for one.
func (o *observation) oneProcess() bool {
	if len(o.containers) > 0 {
		return false
	}
	if t := o.last(); t != nil && len(t.Workers) > 0 {
		return !slices.ContainsFunc(t.Workers, func(w client.Worker) bool { return w.Addr != w.ID })
	}
	return o.local && slices.ContainsFunc(o.disks, func(d disk) bool { return d.what == dataFolder })
}

// logOf says where to look for the log of a part.
func (o *observation) logOf(part string) string {
	if o.oneProcess() {
		return "what 'rideshare run' prints (with --verbose)"
	}
	return "the log of " + part
}

func ok(part, format string, args ...any) finding {
	return finding{Part: part, State: well, Found: fmt.Sprintf(format, args...)}
}

func unseen(part, why string) finding { return finding{Part: part, State: unknown, Found: why} }

func checkAddress(o *observation) finding {
	const part = "address"
	gateway, known := o.service("gateway")
	switch {
	case o.ours() && o.answer.StatusCode == http.StatusOK:
		return ok(part, "%s answers", o.url)
	case known && strings.Contains(gateway.err, "allocated"), known && strings.Contains(gateway.err, "in use"):
		return finding{part, fault, "the port is taken by another program: " + gateway.name + " could not be started",
			"end that program (ss -ltnp names it), or set RIDESHARE_PORT to another port; then make up"}
	case known && !gateway.runs():
		return gateway.down(part)
	case known && errors.Is(o.answerErr, syscall.ECONNREFUSED):
		return finding{part, fault, "nothing listens at " + o.url + ", and " + gateway.name + " runs: the engine's proxy for the port has ended, as it does when connections take all of its descriptors",
			"docker restart " + gateway.name + "; docs/operating.md says how to do without that proxy"}
	case errors.Is(o.answerErr, syscall.ECONNREFUSED):
		return finding{part, fault, "nothing listens at " + o.url, "start it with 'rideshare run' or 'make up', or give another address with --url"}
	case o.answerErr != nil:
		return finding{part, fault, fmt.Sprintf("%s does not answer: %s", o.url, o.answerErr), "check the address and the network between"}
	case o.answer.StatusCode >= http.StatusInternalServerError:
		return finding{part, fault, fmt.Sprintf("a gateway answers %d: it reaches no function", o.answer.StatusCode), "look at the containers of users, rides and orchestrator: make ps, make logs"}
	default:
		return finding{part, fault, fmt.Sprintf("the port is taken by another program: what answers at %s is not RideShare", o.url),
			"end that program (ss -ltnp names it), or set RIDESHARE_ADDR (rideshare run) or RIDESHARE_PORT (make up) to another port"}
	}
}

func checkToken(o *observation) finding {
	const part = "token"
	switch {
	case !o.ours():
		return unseen(part, "nobody is there to ask")
	case client.StatusOf(o.clusterErr) == http.StatusUnauthorized:
		return finding{part, fault, "the service token is missing or wrong",
			"give it with --token, RIDESHARE_SERVICE_TOKEN or RIDESHARE_SERVICE_TOKEN_FILE: it is in .secrets/service_token (make up) or data/secrets.json (rideshare run)"}
	default:
		return ok(part, "it is accepted, or nobody asks for it")
	}
}

func checkBroker(o *observation) finding {
	const part = "broker"
	if f, down := o.containerFault(part, "rabbitmq"); down {
		return f
	}
	if says(o.clusterErr, "broker") || says(o.writeErr, "broker") {
		return finding{part, fault, "the orchestrator cannot reach the message broker", "start RabbitMQ, and see whether it blocks publishers for want of memory or disk: its log says so"}
	}
	if o.wrote && o.writeErr == nil {
		return ok(part, "messages go through")
	}
	return o.seen(part, "messages go through")
}

func checkZooKeeper(o *observation) finding {
	const part = "ZooKeeper"
	if f, ok := o.containerFault(part, "zookeeper"); ok {
		return f
	}
	if says(o.clusterErr, "registry") {
		return finding{part, fault, "the watcher cannot reach the registry: reads and writes go on, elections do not", "start ZooKeeper, and see its log"}
	}
	return o.seen(part, "the watcher reaches it")
}

func checkWatcher(o *observation) finding {
	const part = "watcher"
	if f, ok := o.containerFault(part, "watcher"); ok {
		return f
	}
	if _, down := o.containerFault(part, "zookeeper"); down && o.topology == nil {
		return unseen(part, "it does not answer, as it does without ZooKeeper")
	}
	if o.topology == nil && says(o.clusterErr, "in time") && o.oneProcess() {
		return finding{part, fault, "no watcher answers, and nothing that dies is replaced", "see " + o.logOf(part)}
	}
	if o.topology == nil && says(o.clusterErr, "in time") {
		return finding{part, fault, "no watcher answers, and nothing that dies is replaced: it is down, or without ZooKeeper", "start it, and see its log"}
	}
	return o.seen(part, "it answers")
}

func checkMaster(o *observation) finding {
	const part = "master"
	last := o.last()
	switch {
	case last == nil:
		return unseen(part, "the topology cannot be seen")
	case last.Master == "" && unwritable(last) != nil:
		w := unwritable(last)
		return finding{part, fault, fmt.Sprintf("there is no master: writes wait, as the database of %s cannot write: %s", w.ID, w.Database),
			"make room on the disk of the databases: writes then go on by themselves, reads do so all the time"}
	case !o.oneProcess() && last.RegistryLeader.Epoch > last.LogLeader.Epoch:
		return finding{part, fault, fmt.Sprintf("%s was elected for epoch %d, and has not reached the log, in which epoch %d counts",
			last.RegistryLeader.Worker, last.RegistryLeader.Epoch, last.LogLeader.Epoch),
			"it gives up by itself where another worker reaches the log; see its log, and whether a majority of RabbitMQ is there"}
	case last.Master == "" && o.oneProcess():
		return finding{part, fault, "there is no master: writes wait", "see " + o.logOf("the watcher") + " for why nobody is elected: one worker that serves, and can write, is needed"}
	case last.Master == "":
		return finding{part, fault, "there is no master: writes wait", "see the watcher's log for why nobody is elected: a majority of ZooKeeper, and one worker that serves, are needed"}
	default:
		return ok(part, "%s, epoch %d", last.Master, last.Epoch)
	}
}

func checkSlaves(o *observation) finding {
	const part = "slaves"
	for _, c := range o.containers {
		if c.pair != "" && c.status == "paused" {
			return finding{part, fault, c.name + " is paused: its worker is stuck", "docker unpause " + c.name}
		}
	}
	last := o.last()
	if last == nil {
		return unseen(part, "the topology cannot be seen")
	}
	serving := int64(0)
	for _, w := range last.Workers {
		switch {
		case w.Role != "slave":
		case w.Database != "ok" && says(errors.New(w.Database), "disk"):
			return finding{part, fault, fmt.Sprintf("the database of %s cannot write: %s", w.ID, w.Database), "make room on its disk: it answers reads from what it has, and catches up by itself"}
		case w.Database != "ok":
			return finding{part, fault, fmt.Sprintf("the database of %s: %s", w.ID, w.Database), "see " + o.logOf("that database")}
		case stuck(o.topology, o.later, w):
			return finding{part, fault, fmt.Sprintf("%s is stuck: it is %s at %s, %d entries behind, and does not move", w.ID, w.State, w.Position, w.Lag),
				"see " + o.logOf("that worker") + "; where that does not help, remove its worker and its database: the watcher replaces them"}
		case w.State == "serving":
			serving++
		}
	}
	if serving < last.Desired.Slaves && o.later != nil {
		found := fmt.Sprintf("%d of %d slaves serve", serving, last.Desired.Slaves)
		if len(last.Faults) > 0 {
			found += ": " + faultOf(last.Faults[0])
		}
		return finding{part, fault, found, "wait for the watcher, or see " + o.logOf("the watcher") + " for why it starts none"}
	}
	return ok(part, "%d of %d serve", serving, last.Desired.Slaves)
}

// stuck reports whether a slave that has something to catch up with is where it was before.
func stuck(before, after *client.Topology, w client.Worker) bool {
	if after == nil || w.State == "serving" && w.Lag == 0 {
		return false
	}
	for _, was := range before.Workers {
		if was.ID == w.ID {
			return was.Position == w.Position && was.State == w.State && (was.Lag > 0 || was.State != "serving")
		}
	}
	return false
}

func checkDisk(o *observation) finding {
	const part = "disk"
	for _, d := range o.disks {
		if d.free < leastFree {
			return finding{part, fault, fmt.Sprintf("the disk is full: %s, %s, has %d MB left", d.what, d.path, d.free>>20), "make room there, or move it to a larger disk"}
		}
	}
	for _, c := range o.containers {
		if line := c.complainsOfDisk(); line != "" {
			return finding{part, fault, fmt.Sprintf("the disk is full, says %s: %s", c.name, line), "make room where its volume is (docker system df)"}
		}
	}
	if t := o.last(); t != nil {
		if w := unwritable(t); w != nil && says(errors.New(w.Database), "disk") {
			return finding{part, fault, fmt.Sprintf("the disk is full, says the database of %s: %s", w.ID, w.Database), "make room there"}
		}
	}
	if err := errors.Join(o.writeErr, o.clusterErr); says(err, "disk") {
		return finding{part, fault, "the disk is full: " + err.Error(), "make room there"}
	}
	if len(o.disks) == 0 {
		return unseen(part, "it is not on this machine, or not where this command was started")
	}
	return ok(part, "%s has %d MB left", o.disks[0].what, o.disks[0].free>>20)
}

func checkWrites(o *observation) finding {
	const part = "writes"
	switch {
	case !o.wrote:
		return unseen(part, "none was tried")
	case o.writeErr != nil:
		return finding{part, fault, "a write is not acknowledged: " + o.writeErr.Error(), "put right what is wrong above; callers who retry with the same Idempotency-Key lose nothing"}
	default:
		return ok(part, "an empty one was acknowledged")
	}
}

// last returns the newest topology that was seen.
func (o *observation) last() *client.Topology {
	if o.later != nil {
		return o.later
	}
	return o.topology
}

// seen is ok for a part that the topology came through, and unknown where there is none.
func (o *observation) seen(part, found string) finding {
	if o.topology == nil {
		return unseen(part, "it cannot be seen from outside")
	}
	return ok(part, "%s", found)
}

// says reports whether the error of a request speaks of what.
func says(err error, what string) bool { return err != nil && strings.Contains(err.Error(), what) }

// service returns the container of a service; false where there is none.
func (o *observation) service(name string) (container, bool) {
	for _, c := range o.containers {
		if c.service == name {
			return c, true
		}
	}
	return container{}, false
}

// containerFault returns what is wrong with a service that has one node, or with the majority of
// one that has three.
func (o *observation) containerFault(part, service string) (finding, bool) {
	var nodes, down []container
	for _, c := range o.containers {
		if strings.TrimRight(c.service, "23") != service {
			continue
		}
		nodes = append(nodes, c)
		if !c.runs() {
			down = append(down, c)
		}
	}
	if len(down) == 0 || 2*len(down) <= len(nodes) {
		return finding{}, false
	}
	return down[0].down(part), true
}

// down is the finding about a container that does not run.
func (c container) down(part string) finding {
	f := finding{part, fault, fmt.Sprintf("%s is %s", c.name, strings.TrimSpace(c.status+" "+c.health)), "docker start " + c.name + "; docker logs --tail 20 " + c.name + " says why it ended"}
	switch {
	case c.status == "paused":
		f.Do = "docker unpause " + c.name
	case c.status == "running":
		f.Do = "docker logs --tail 20 " + c.name
	case c.err != "":
		f.Found += ": " + c.err
	}
	return f
}

// complainsOfDisk returns the last line of its log in which a container says that the disk is full.
func (c container) complainsOfDisk() (found string) {
	for line := range strings.Lines(c.lines) {
		lower := strings.ToLower(line)
		for _, complaint := range []string{"no space left on device", "disk is full", "disk full", "disk resource limit alarm set", "free disk space is insufficient", "error number 28", "as disk is full"} {
			if strings.Contains(lower, complaint) {
				found = strings.TrimSpace(line)
			}
		}
	}
	return found
}
