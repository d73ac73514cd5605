package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"slices"
	"strings"

	"github.com/google/uuid"

	"rideshare/e2e/stack"
)

// replicationGroup is MySQL Group Replication, of three nodes with one primary.
type replicationGroup struct {
	*system
	nodes []*database
}

// groupArgs are the arguments of a member: those of our pairs, without what Group Replication cannot do
// without (the binary log, the performance schema), with what it asks for. Everything else is as MySQL
// recommends by its defaults: XCom, group_replication_consistency = BEFORE_ON_PRIMARY_FAILOVER,
// flow control, sync_binlog = 1, a suspected member is expelled after 5 s more.
func groupArgs(group, self string, number int, seeds []string) []string {
	args := slices.DeleteFunc(databaseArgs(), func(arg string) bool {
		return arg == "--skip-log-bin" || strings.HasPrefix(arg, "--performance-schema")
	})
	return append(args,
		fmt.Sprintf("--server-id=%d", number), "--report-host="+self,
		"--log-bin=binlog", "--gtid-mode=ON", "--enforce-gtid-consistency=ON", "--transaction-isolation=READ-COMMITTED",
		"--plugin-load-add=group_replication.so",
		"--loose-group-replication-group-name="+group,
		"--loose-group-replication-start-on-boot=OFF",
		"--loose-group-replication-single-primary-mode=ON",
		"--loose-group-replication-recovery-get-public-key=ON",
		"--loose-group-replication-local-address="+self+":33061",
		"--loose-group-replication-group-seeds="+strings.Join(seeds, ","),
	)
}

// startGroup starts three nodes, and a plain server before them.
func startGroup(ctx context.Context, l *lab) (*replicationGroup, error) {
	g := &replicationGroup{}
	names := []string{"node1", "node2", "node3"}
	var seeds []string
	for _, name := range names {
		seeds = append(seeds, l.name+"-"+name+":33061")
	}
	id, password := uuid.NewString(), rand.Text()
	for i, name := range names {
		node, err := l.startDatabase(ctx, name, groupArgs(id, l.name+"-"+name, i+1, seeds)...)
		if err != nil {
			return nil, err
		}
		if i > 0 { // one user for all of them: what the others have would never be replicated
			node.password = g.nodes[0].password
		}
		g.nodes = append(g.nodes, node)
		if _, err := node.query(ctx, fmt.Sprintf(`SET SQL_LOG_BIN = 0;
			CREATE USER replication@'%%' IDENTIFIED BY '%[1]s';
			GRANT REPLICATION SLAVE, CONNECTION_ADMIN, BACKUP_ADMIN, GROUP_REPLICATION_STREAM ON *.* TO replication@'%%';
			GRANT SELECT ON performance_schema.replication_group_members TO %[2]s@'%%';
			ALTER USER %[2]s@'%%' IDENTIFIED BY '%[3]s';
			SET SQL_LOG_BIN = 1;
			CHANGE REPLICATION SOURCE TO SOURCE_USER = 'replication', SOURCE_PASSWORD = '%[1]s' FOR CHANNEL 'group_replication_recovery';`,
			password, schemaAndUser, node.password)); err != nil {
			return nil, err
		}
		start := "START GROUP_REPLICATION;"
		if i == 0 {
			start = "SET GLOBAL group_replication_bootstrap_group = ON; START GROUP_REPLICATION; SET GLOBAL group_replication_bootstrap_group = OFF;" + schema
		}
		if _, err := node.query(ctx, start); err != nil {
			return nil, err
		}
	}
	if err := g.whole(ctx); err != nil {
		return nil, err
	}
	var err error
	g.system, err = l.startServer(ctx, group, "group-server", g.nodes...)
	return g, err
}

const members = `SELECT MEMBER_HOST, MEMBER_ROLE FROM performance_schema.replication_group_members WHERE MEMBER_STATE = 'ONLINE'`

// whole waits until each node sees all of them online.
func (g *replicationGroup) whole(ctx context.Context) error {
	return until(ctx, "the group has all members", func() error {
		for _, n := range g.nodes {
			out, err := n.query(ctx, members)
			if err != nil {
				return err
			}
			if online := strings.Count(out+"\n", "\n"); online != len(g.nodes) {
				return fmt.Errorf("%s sees %d members: %s", n.name, online, out)
			}
		}
		return nil
	})
}

// killPrimary kills the primary, and returns what brings it back.
func (g *replicationGroup) killPrimary(ctx context.Context) (restore func() error, err error) {
	out, err := g.nodes[0].query(ctx, members)
	if err != nil {
		return nil, err
	}
	for _, n := range g.nodes {
		if !strings.Contains(out, n.name+"\tPRIMARY") {
			continue
		}
		if _, err := stack.Docker("kill", n.name); err != nil {
			return nil, err
		}
		return func() error { return g.bringBack(ctx, n) }, nil
	}
	return nil, fmt.Errorf("no member is the primary: %s", out)
}

func (g *replicationGroup) bringBack(ctx context.Context, n *database) error {
	if _, err := stack.Docker("start", n.name); err != nil {
		return err
	}
	if err := n.await(ctx); err != nil {
		return err
	}
	// It is refused until the others have expelled the member's former life.
	if err := until(ctx, n.name+" is back in the group", func() error {
		_, err := n.query(ctx, "START GROUP_REPLICATION;")
		return err
	}); err != nil {
		return err
	}
	return g.whole(ctx)
}
