package chaos

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"rideshare/client"
	"rideshare/e2e/stack"
	"rideshare/internal/cluster"
	"rideshare/internal/db"
)

// diskSize is that of the small disk: a database needs some 200 MB of it from the start. The disk is
// memory, which belongs to the engine and has to be kept in use, so a container of ours holds it.
const diskSize = "400m"

// complaint is what MySQL says of a full disk.
var complaint = regexp.MustCompile(`(?i)is full|no space left|error number 28`)

// fill gives the next pair a small disk, lets a slave's database die so that the watcher makes that
// pair, fills the disk, and frees it when the fault has lasted. In the end that pair is replaced, too: it
// must not stay on such a disk.
func (i *injector) fill(ctx context.Context, t target) error {
	pair, err := i.nextPair()
	if err != nil {
		return fmt.Errorf("%w: %w", errNotInjected, err)
	}
	volume := fmt.Sprintf("%s-%s-data", i.Project, pair)
	holder := volume + "-holder"
	defer func() {
		_, err := stack.Docker("rm", "-fv", holder)
		if err == nil {
			_, err = stack.Docker("volume", "rm", "-f", volume) // free when its pair is replaced
		}
		if err != nil {
			i.Logf("the small disk of %s stays until the end: %v", pair, err)
		}
	}()
	image, err := stack.Docker("inspect", "-f", "{{.Image}}", t.container)
	if err == nil {
		_, err = stack.Docker("volume", "create", "--label", chaosLabel+"="+i.Project,
			"--opt", "type=tmpfs", "--opt", "device=tmpfs", "--opt", "o=size="+diskSize, volume)
	}
	if err == nil {
		_, err = stack.Docker("run", "-d", "--name", holder, "--label", chaosLabel+"="+i.Project, "--network=none",
			"-v", volume+":/disk", "--entrypoint=sleep", image, "3600")
	}
	if err == nil {
		_, err = stack.Docker("kill", t.container)
	}
	if err != nil {
		return fmt.Errorf("%w: %w", errNotInjected, err)
	}
	if err := i.whole(ctx, t.pair.ID); err != nil {
		return err
	}
	w, found := i.workerOf(pair)
	if !found || w.Role != cluster.Slave {
		return fmt.Errorf("%w: %s did not become a slave", errNotInjected, pair)
	}
	// The file takes all that is left.
	out, err := stack.Docker("exec", holder, "dd", "if=/dev/zero", "of=/disk/fill", "bs=64k")
	if err == nil || !strings.Contains(err.Error(), "No space left") {
		return errors.Join(fmt.Errorf("%w: the disk of %s is not full: %s", errNotInjected, pair, out), err)
	}
	if err := i.grow(ctx, holder); err != nil {
		return err
	}
	last(ctx, t.For)
	if log, err := stack.Docker("logs", i.PairOf(w, 0).DatabaseContainer); err == nil && !complaint.MatchString(log) {
		i.Logf("         the database of %s has not complained of its full disk", pair)
	}
	if _, err := stack.Docker("exec", holder, "rm", "-f", "/disk/fill"); err != nil {
		return err
	}
	if err := i.whole(ctx); err != nil {
		return err
	}
	if _, still := i.workerOf(pair); !still {
		return nil // the watcher has replaced it
	}
	if _, err := stack.Docker("kill", i.PairOf(w, 0).DatabaseContainer); err != nil {
		return err
	}
	return i.whole(ctx, w.ID)
}

// grow writes so much that the files of a database have to grow, and deletes it again.
func (i *injector) grow(ctx context.Context, name string) error {
	d := database{client.New(i.Target.URL, client.WithToken(i.Token), client.WithPatience(patience))}
	var users []string
	for range 10 {
		var ops []db.Op
		for range db.MaxOps {
			user := fmt.Sprintf("%s-%d", name, len(users))
			users = append(users, user)
			ops = append(ops, db.Op{Insert: "users", Values: map[string]any{"username": user, "password_hash": strings.Repeat("x", 200)}})
		}
		if _, err := d.Write(ctx, ops...); err != nil {
			return err
		}
	}
	for part := range slices.Chunk(users, 500) {
		if _, err := d.Write(ctx, db.Op{Delete: "users", Where: []db.Condition{db.Where("username", db.In, part)}}); err != nil {
			return err
		}
	}
	return nil
}

// nextPair returns the id of the pair that the watcher will make next.
func (i *injector) nextPair() (string, error) {
	label := "label=rideshare.project=" + i.Project
	containers, err := stack.Docker("ps", "-a", "--filter", label, "--format", `{{.Label "rideshare.pair"}}`)
	if err != nil {
		return "", err
	}
	volumes, err := stack.Docker("volume", "ls", "--filter", label, "--format", `{{.Label "rideshare.pair"}}`)
	if err != nil {
		return "", err
	}
	highest := 0
	for _, id := range strings.Fields(containers + "\n" + volumes) {
		n, err := strconv.Atoi(strings.TrimPrefix(id, "p"))
		if err != nil {
			return "", fmt.Errorf("%q is no pair: %w", id, err)
		}
		highest = max(highest, n)
	}
	return fmt.Sprint("p", highest+1), nil
}

func (i *injector) workerOf(pair string) (cluster.Worker, bool) {
	topology, err := i.Topology()
	if err != nil {
		return cluster.Worker{}, false
	}
	for _, w := range topology.Workers {
		if w.Pair == pair {
			return w, true
		}
	}
	return cluster.Worker{}, false
}
