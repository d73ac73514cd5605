package dockertest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
)

const zookeeperPort = 2181

// ZooKeeperServer is a single ZooKeeper.
type ZooKeeperServer struct{ *Container }

// ZooKeeper starts a ZooKeeper that allows sessions from 0.4 s to 10 minutes, and waits until it
// serves. Its data survive Kill; with Options.Mounts of volumes for /data and /datalog they survive
// the container too.
func ZooKeeper(t testing.TB, change ...func(*Options)) *ZooKeeperServer {
	t.Helper()
	o := Options{
		Service: "zookeeper",
		Env: map[string]string{
			"ZOO_TICK_TIME":              "200",
			"ZOO_CFG_EXTRA":              "minSessionTimeout=400 maxSessionTimeout=600000",
			"ZOO_4LW_COMMANDS_WHITELIST": "*",
			"ZOO_ADMINSERVER_ENABLED":    "false",
			"JVMFLAGS":                   "-Xmx128m",
		},
		Ports: []int{zookeeperPort},
		Ping:  pingZooKeeper,
	}
	for _, f := range change {
		f(&o)
	}
	s := &ZooKeeperServer{Start(t, o)}
	s.Await(t)
	return s
}

// Servers is the list of addresses for a client.
func (s *ZooKeeperServer) Servers() []string { return []string{s.Addr(zookeeperPort)} }

// Ask sends one of ZooKeeper's four letter words, such as srvr, mntr or dump, and returns the answer.
func (s *ZooKeeperServer) Ask(ctx context.Context, word string) (string, error) {
	return askZooKeeper(ctx, s.Container, word)
}

func askZooKeeper(ctx context.Context, c *Container, word string) (string, error) {
	conn, err := c.dial(ctx, zookeeperPort)
	if err != nil {
		return "", err
	}
	defer conn.Close() //nolint:errcheck // the answer ends with the connection
	if _, err := io.WriteString(conn, word); err != nil {
		return "", err
	}
	answer, err := io.ReadAll(conn)
	return string(answer), err
}

// pingZooKeeper waits until the server has a mode: it says imok long before.
func pingZooKeeper(ctx context.Context, c *Container) error {
	answer, err := askZooKeeper(ctx, c, "srvr")
	if err != nil {
		return err
	}
	if !strings.Contains(answer, "\nMode: ") {
		return fmt.Errorf("zookeeper: %w: %.80q", errNotServing, answer)
	}
	return nil
}

var errNotServing = errors.New("not serving")
