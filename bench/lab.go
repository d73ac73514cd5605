package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"rideshare/e2e/stack"
	pairs "rideshare/internal/pairs/docker"
)

// label is on every container, volume and network that a lab makes; its value is the lab's name.
const label = "rideshare.bench"

// lab is where the systems are made that ours is compared with: a network, and containers with the
// limits and the hardening of our own.
type lab struct {
	name  string
	root  string // the folder of the checkout
	image string // of MySQL
}

// newLab makes the images and the network.
func newLab(ctx context.Context, root string) (*lab, error) {
	l := &lab{name: "rideshare-bench-" + strings.ToLower(rand.Text()[:6]), root: root}
	var err error
	if l.image, err = l.command(ctx, nil, "", "deploy/images/ensure", "--name", "mysql"); err != nil {
		return nil, err
	}
	if _, err := l.command(ctx, nil, "", "deploy/images/ensure", "mysql"); err != nil {
		return nil, err
	}
	if err := l.buildPlain(ctx); err != nil {
		return nil, err
	}
	_, err = stack.Docker("network", "create", "--label", label+"="+l.name, l.name)
	return l, err
}

// buildPlain makes the image of the plain server, from scratch as our own.
func (l *lab) buildPlain(ctx context.Context) error {
	folder, err := os.MkdirTemp("", "bench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder) //nolint:errcheck // it is a temporary folder
	_, err = l.command(ctx, []string{"CGO_ENABLED=0", "GOOS=linux"}, "",
		"go", "build", "-trimpath", "-ldflags=-s -w", "-o", filepath.Join(folder, "plain"), "./bench/plain")
	if err == nil {
		_, err = l.command(ctx, []string{"PROGRAMS=" + folder, "RIDESHARE_PLAIN_IMAGE=" + plainImage}, "", "deploy/images/ours", "plain")
	}
	return err
}

// command runs a command in the checkout, and returns what it prints. An error does not name the
// arguments, of which some are secrets.
func (l *lab) command(ctx context.Context, env []string, input, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir, cmd.Env, cmd.Stdin = l.root, append(os.Environ(), env...), strings.NewReader(input)
	out, err := cmd.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%s: %w: %s", name, err, out)
	}
	return strings.TrimSpace(string(out)), nil
}

// remove removes all that the lab has made. The image goes with the next build that differs, as ours do.
func (l *lab) remove() error {
	for _, kind := range []struct{ list, remove []string }{
		{[]string{"ps", "-aq"}, []string{"rm", "-fv"}},
		{[]string{"network", "ls", "-q"}, []string{"network", "rm"}},
	} {
		ids, err := stack.Docker(append(kind.list, "--filter", "label="+label+"="+l.name)...)
		if err != nil {
			return err
		}
		if ids == "" {
			continue
		}
		if _, err := stack.Docker(append(kind.remove, strings.Fields(ids)...)...); err != nil {
			return err
		}
	}
	return nil
}

// start starts a container with the limits of a pair's worker or database, and returns its name. The
// environment is on no command line.
func (l *lab) start(ctx context.Context, name, image string, memory, processes int, env, flags, args []string) (string, error) {
	name = l.name + "-" + name
	line := []string{
		"run", "-d", "--name", name, "--hostname", name, "--network", l.name, "--label", label + "=" + l.name,
		"--cap-drop=ALL", "--security-opt=no-new-privileges", "--read-only", "--cpus=2",
		fmt.Sprintf("--memory=%dm", memory), fmt.Sprintf("--memory-swap=%dm", memory), fmt.Sprintf("--pids-limit=%d", processes),
	}
	for _, variable := range env {
		key, _, _ := strings.Cut(variable, "=")
		line = append(line, "--env", key)
	}
	line = append(append(append(line, flags...), image), args...)
	_, err := l.command(ctx, env, "", "docker", line...)
	return name, err
}

// database is a MySQL server of the lab.
type database struct {
	lab            *lab
	name           string
	root, password string // passwords, the second one of the user rideshare
}

const schemaAndUser = "rideshare"

// startDatabase starts a MySQL with the settings of our pairs, where the arguments do not say otherwise.
func (l *lab) startDatabase(ctx context.Context, name string, args ...string) (*database, error) {
	d := &database{lab: l, root: rand.Text(), password: rand.Text()}
	var err error
	d.name, err = l.start(ctx, name, l.image, 1024, 512,
		[]string{
			"MYSQL_ROOT_PASSWORD=" + d.root, "MYSQL_ROOT_HOST=localhost", "MYSQL_DATABASE=" + schemaAndUser,
			"MYSQL_USER=" + schemaAndUser, "MYSQL_PASSWORD=" + d.password,
		},
		[]string{
			"--user=999:999", "--volume", "/var/lib/mysql",
			"--tmpfs", "/run/mysqld:rw,noexec,nosuid,size=1m,mode=1777", "--tmpfs", "/tmp:rw,noexec,nosuid,size=256m,mode=1777",
		}, args)
	if err != nil {
		return nil, err
	}
	return d, d.await(ctx)
}

// await waits until the server has its users.
func (d *database) await(ctx context.Context) error {
	return until(ctx, d.name+" answers", func() error {
		_, err := d.query(ctx, "SELECT 1")
		return err
	})
}

// query runs SQL as root.
func (d *database) query(ctx context.Context, sql string) (string, error) {
	return d.lab.command(ctx, []string{"MYSQL_PWD=" + d.root}, sql, "docker", "exec", "-i", "-e", "MYSQL_PWD", d.name,
		"mysql", "--user=root", "--batch", "--skip-column-names", schemaAndUser)
}

// dsn is the address for the plain server.
func (d *database) dsn() string {
	return fmt.Sprintf("%s:%s@tcp(%s:3306)/%s?timeout=1s", schemaAndUser, d.password, d.name, schemaAndUser)
}

// databaseArgs are the arguments of our pairs' databases.
func databaseArgs() []string { return pairs.DefaultDatabaseArgs() }

// patience is how long anything is waited for that has to come.
const patience = 2 * time.Minute

// until waits until the condition returns no error.
func until(ctx context.Context, what string, condition func() error) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		err := condition()
		if err == nil {
			return nil
		}
		select {
		case <-time.After(100 * time.Millisecond):
		case <-ctx.Done():
			return fmt.Errorf("waiting until %s: %w: %w", what, ctx.Err(), err)
		}
	}
}
