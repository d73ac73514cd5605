package dockertest

import (
	"context"
	"maps"
	"slices"
	"time"
)

// Options say what to start. Either Service or Image is needed.
type Options struct {
	Service string // mysql, rabbitmq or zookeeper: its image is pulled or built if necessary
	Image   string // any other image that is on this machine

	Name     string            // a word in the container's name; the service by default
	Hostname string            // the container's own name for itself; Docker's choice by default
	Network  string            // of Network; the engine's default network if empty
	Aliases  []string          // names on Network
	Env      map[string]string // the values are on no command line, but `docker inspect` shows them
	Mounts   []string          // as after docker run -v; see Volume
	Tmpfs    []string          // as after docker run --tmpfs
	Ports    []int             // the container's ports to publish
	Flags    []string          // any other flags of docker run
	Args     []string          // after the image

	// Ping asks the service once whether it serves; Await asks until it does. Nil: it does as soon as
	// it runs.
	Ping func(ctx context.Context, c *Container) error
	// Within is how long Await waits; 2 minutes by default, for machines that are busy.
	Within time.Duration
}

// flags returns the arguments of docker run, and the environment that it takes the values from.
func (o Options) flags(name, image string, ports map[int]int) (args, env []string) {
	args = []string{"run", "--detach", "--name", name, "--label", label + "=" + self().String()}
	if o.Hostname != "" {
		args = append(args, "--hostname", o.Hostname)
	}
	if o.Network != "" {
		args = append(args, "--network", o.Network)
		for _, alias := range o.Aliases {
			args = append(args, "--network-alias", alias)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(o.Env)) {
		args = append(args, "--env", key)
		env = append(env, key+"="+o.Env[key])
	}
	for _, m := range o.Mounts {
		args = append(args, "--volume", m)
	}
	for _, m := range o.Tmpfs {
		args = append(args, "--tmpfs", m)
	}
	for _, inside := range o.Ports {
		args = append(args, "--publish", publish(ports[inside], inside))
	}
	args = append(args, o.Flags...)
	return append(append(args, image), o.Args...), env
}
