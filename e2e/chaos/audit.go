package chaos

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"rideshare/client"
	"rideshare/e2e/stack"
	"rideshare/internal/db"
)

// page is how many rows are read at once.
const page = 5000

// poll is how often something that must come is asked for.
const poll = 100 * time.Millisecond

// whole waits until the topology is whole without those workers, and each part answers: the gateway,
// the functions, a write, and a strong read.
func (i *injector) whole(ctx context.Context, gone ...string) error {
	var last error
	for deadline := time.Now().Add(i.Patience); time.Now().Before(deadline); {
		if last = i.serves(ctx, gone); last == nil {
			return nil
		}
		select {
		case <-time.After(poll):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	topology, err := i.Topology()
	return errors.Join(fmt.Errorf("not whole within %v: %w (the topology: %+v)", i.Patience, last, topology), err)
}

func (i *injector) serves(ctx context.Context, gone []string) error {
	for _, worker := range append(gone[:len(gone):len(gone)], "") {
		if !i.WholeWithout(worker) {
			return fmt.Errorf("the topology is not whole without %q", worker)
		}
	}
	once := client.New(i.Target.URL, client.WithToken(i.Token), client.WithPatience(0))
	if _, err := once.ListUsers(ctx, client.ListUsersQuery{Limit: 1}); err != nil {
		return err
	}
	if _, err := once.CountRides(ctx); err != nil {
		return err
	}
	d := database{once}
	if _, err := d.Write(ctx, db.Op{Delete: "users", Where: []db.Condition{db.Where("username", db.Eq, "nobody")}}); err != nil {
		return err
	}
	if _, err := d.Read(ctx, db.Read{Queries: []db.Query{{Table: "users", Count: true}}, Consistency: db.Strong}); err != nil {
		return err
	}
	// Everything else goes on without it.
	zookeeper, err := i.Stack.Service(string(ZooKeeper))
	if err == nil {
		_, err = stack.Docker("exec", zookeeper, "bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/2181; echo srvr >&3; timeout 2 grep -q ^Mode <&3")
	}
	return err
}

// state reads what is there. Nobody may write meanwhile.
func (c *clients) state(ctx context.Context, i *injector) (State, error) {
	s := State{Rows: map[string][]int64{}}
	d := c.new()
	err := d.pages(ctx, "rides", "ride_id", func(row db.Row) any {
		if creator := row.Text("created_by"); strings.HasPrefix(creator, "writer-") {
			name := nameOfRide(creator, row.Time("departs_at").Unix())
			s.Rows[name] = append(s.Rows[name], row.Int("ride_id"))
		}
		return row.Int("ride_id")
	})
	if err == nil {
		err = d.pages(ctx, "users", "username", func(row db.Row) any {
			if name := row.Text("username"); strings.HasPrefix(name, "user-") {
				s.Rows[nameOfUser(name)] = append(s.Rows[nameOfUser(name)], 0)
			}
			return row.Text("username")
		})
	}
	if err != nil {
		return s, err
	}
	// A slave is at the end of the log a moment after the master.
	for deadline := time.Now().Add(i.Patience); ; {
		topology, err := i.Topology()
		if err == nil {
			s.Replicas = topology.Desired.Slaves + 1
			s.Sums, err = d.DBChecksums(ctx)
		}
		if err == nil && len(s.Sums) == s.Replicas && equal(s.Sums) || time.Now().After(deadline) {
			return s, err
		}
		select {
		case <-time.After(poll):
		case <-ctx.Done():
			return s, ctx.Err()
		}
	}
}

func equal(sums []client.Checksum) bool {
	for _, s := range sums {
		if s.Error != "" || s.Seq != sums[0].Seq || s.Checksum != sums[0].Checksum {
			return false
		}
	}
	return true
}

// pages reads a whole table strongly. take returns the row's key.
func (d database) pages(ctx context.Context, table, key string, take func(db.Row) any) error {
	query := db.Query{Table: table, OrderBy: []db.Order{{Column: key}}, Limit: page}
	for {
		result, err := d.Read(ctx, db.Read{Queries: []db.Query{query}, Consistency: db.Strong})
		if err != nil {
			return err
		}
		rows := result.Results[0].Rows
		var last any
		for _, row := range rows {
			last = take(row)
		}
		if len(rows) < page {
			return nil
		}
		query.Where = []db.Condition{db.Where(key, db.Gt, last)}
	}
}
