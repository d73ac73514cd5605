package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os/exec"
	"strings"
)

// container is one container of the project.
type container struct {
	name    string
	service string // of the compose file; pair-worker and pair-database for those of the watcher
	pair    string // of those of the watcher
	status  string // as of `docker inspect`: running, paused, exited, created, restarting
	health  string // healthy, unhealthy, starting; empty where nobody asks
	err     string // why it could not be started
	lines   string // what it logged last
}

// runs reports whether it does what it should.
func (c container) runs() bool { return c.status == "running" && c.health != "unhealthy" }

// dockerCLI is the engine that the docker command reaches.
type dockerCLI struct{ project string }

// loggedLines is how much of a container's log is looked at.
const loggedLines = "50"

func (d dockerCLI) containers(ctx context.Context) ([]container, error) {
	out, err := docker(ctx, "ps", "-aq", "--filter", "label=com.docker.compose.project="+d.project)
	ids := strings.Fields(out)
	if err != nil || len(ids) == 0 {
		return nil, err
	}
	out, err = docker(ctx, append([]string{"inspect", "--type", "container"}, ids...)...)
	if err != nil {
		return nil, err
	}
	list, err := parseInspect([]byte(out))
	if err != nil {
		return nil, err
	}
	for i := range list {
		// Without the lines, the state has to do.
		list[i].lines, _ = docker(ctx, "logs", "--tail", loggedLines, "--since", "10m", list[i].name)
	}
	return list, nil
}

func (d dockerCLI) root(ctx context.Context) (string, error) {
	out, err := docker(ctx, "info", "--format", "{{.DockerRootDir}}")
	return strings.TrimSpace(out), err
}

// docker returns what a docker command prints, standard error included: logs are on both.
func docker(ctx context.Context, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*probeTimeout)
	defer cancel()
	var out bytes.Buffer
	cmd := exec.CommandContext(ctx, "docker", args...)
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("docker %s: %w: %s", args[0], err, out.String())
	}
	return out.String(), nil
}

// parseInspect reads what `docker inspect` prints.
func parseInspect(data []byte) ([]container, error) {
	var inspected []struct {
		Name  string
		State struct {
			Status, Error string
			Health        *struct{ Status string }
		}
		Config struct{ Labels map[string]string }
	}
	if err := json.Unmarshal(data, &inspected); err != nil {
		return nil, fmt.Errorf("docker inspect: %w", err)
	}
	list := make([]container, len(inspected))
	for i, c := range inspected {
		list[i] = container{
			name: strings.TrimPrefix(c.Name, "/"), service: c.Config.Labels["com.docker.compose.service"],
			pair: c.Config.Labels["rideshare.pair"], status: c.State.Status, err: c.State.Error,
		}
		if c.State.Health != nil {
			list[i].health = c.State.Health.Status
		}
	}
	return list, nil
}
