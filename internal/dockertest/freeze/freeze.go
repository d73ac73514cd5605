// Package freeze helps with containers that do not want to be paused.
package freeze

import (
	"strings"
	"time"
)

const (
	// tries and pause make some 10 s beside what runc tries itself.
	tries = 40
	pause = 250 * time.Millisecond
)

// Persist runs a command of docker, and runs it again where runc could not freeze the container's
// processes: it gives up after a fraction of a second on a busy machine, and leaves it to its caller
// to try again (opencontainers/runc#4388).
func Persist(docker func() error) error {
	for range tries - 1 {
		err := docker()
		if err == nil || !strings.Contains(err.Error(), "unable to freeze") {
			return err
		}
		time.Sleep(pause)
	}
	return docker()
}
