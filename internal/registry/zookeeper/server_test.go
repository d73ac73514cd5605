package zookeeper_test

import (
	"testing"

	"rideshare/internal/dockertest"
)

// server is a ZooKeeper server that can be treated badly. It keeps its address and its data.
type server struct {
	*dockertest.ZooKeeperServer
	t *testing.T
}

// newServer starts a server, and removes it after the test. Where there is no Docker engine the test
// is skipped, and fails with CI=true.
func newServer(t *testing.T) server {
	t.Helper()
	return server{t: t, ZooKeeperServer: dockertest.ZooKeeper(t, func(o *dockertest.Options) {
		o.Env["ZOO_MAX_CLIENT_CNXNS"] = "0"
		o.Env["ZOO_CFG_EXTRA"] += " enforceQuota=true"
	})}
}

func (s server) Addr() string { return s.Servers()[0] }

func (s server) Kill()    { s.ZooKeeperServer.Kill(s.t) }
func (s server) Pause()   { s.ZooKeeperServer.Pause(s.t) }
func (s server) Unpause() { s.ZooKeeperServer.Unpause(s.t) }

// Start waits until the server answers.
func (s server) Start() {
	s.ZooKeeperServer.Start(s.t)
	s.Await(s.t)
}
