package workers_test

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"rideshare/internal/bus"
	"rideshare/internal/db"
	"rideshare/internal/registry"
	"rideshare/internal/replog"
	"rideshare/internal/store"
)

// send puts a write into the queue and returns where its reply will come.
func (s *site) send(id string, ops ...db.Op) <-chan db.Reply {
	replies := make(chan db.Reply, 1)
	body, err := json.Marshal(db.Write{Ops: ops})
	if err != nil {
		s.t.Fatal(err)
	}
	go func() {
		ctx, cancel := context.WithTimeout(s.t.Context(), 30*time.Second)
		defer cancel()
		data, err := s.client.Call(ctx, bus.Writes, bus.Request{ID: id, Body: body})
		if err != nil {
			replies <- db.Reply{Error: db.Errorf(db.Unknown, "%s", err)}
			return
		}
		reply, _ := db.DecodeReply(data)
		replies <- reply
	}()
	return replies
}

// write is send, and waits for the reply.
func (s *site) write(id string, ops ...db.Op) db.Reply { return <-s.send(id, ops...) }

func (s *site) mustWrite(id string, ops ...db.Op) *db.WriteResult {
	s.t.Helper()
	reply := s.write(id, ops...)
	if reply.Write == nil {
		s.t.Fatalf("write %s: %+v", id, reply.Error)
	}
	return reply.Write
}

func (s *site) read(r db.Read) db.Reply {
	body, err := json.Marshal(r)
	if err != nil {
		s.t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(s.t.Context(), 5*time.Second)
	defer cancel()
	data, err := s.client.Call(ctx, bus.Reads, bus.Request{Body: body})
	if err != nil {
		return db.Reply{Error: db.Errorf(db.Unavailable, "%s", err)}
	}
	reply, _ := db.DecodeReply(data)
	return reply
}

// users returns the users in the database of a worker.
func (s *site) users(id string) []string {
	s.t.Helper()
	result, err := s.workers[id].db.Read(s.t.Context(), db.Read{Queries: []db.Query{{
		Table: "users", Columns: []string{"username"}, OrderBy: []db.Order{{Column: "username"}},
	}}})
	if err != nil {
		s.t.Fatal(err)
	}
	var names []string
	for _, row := range result.Results[0].Rows {
		names = append(names, row.Text("username"))
	}
	return names
}

// sameEverywhere waits until all workers are at one position, and compares their checksums.
func (s *site) sameEverywhere() {
	s.t.Helper()
	different := func(describe func(store.Store) (any, error)) int {
		all := map[any]bool{}
		for _, w := range s.workers {
			what, err := describe(w.db)
			if err != nil {
				s.t.Fatal(err)
			}
			all[what] = true
		}
		return len(all)
	}
	s.until("all workers are at one position, with one checksum", func() bool {
		return different(func(db store.Store) (any, error) { // the checksum takes a while
			state, err := db.State(s.t.Context())
			return state.Seq, err
		}) == 1 && different(func(db store.Store) (any, error) {
			sum, state, err := db.Checksum(s.t.Context())
			return fmt.Sprint(state.Seq, sum), err
		}) == 1
	})
}

func addUser(name string) db.Op {
	return db.Op{Insert: "users", Values: map[string]any{"username": name, "password_hash": "h"}}
}

func addRide(by string) db.Op {
	return db.Op{Insert: "rides", Values: map[string]any{
		"ride_id": db.Next("rides"), "created_by": by, "source": 1, "destination": 2, "departs_at": db.Now{},
	}}
}

// isKind reports whether a record of the log has that kind.
func isKind(data []byte, kind replog.Kind) bool {
	r, err := replog.Decode(data)
	return err == nil && r.Kind == kind
}

// configureSwitch asks for a planned change of master.
func (s *site) configureSwitch(to string, from uint64) {
	s.t.Helper()
	s.configure(func(c *registry.Config) { c.Switch = registry.Switch{To: to, From: from} })
}

func bookkeepingOf(state replog.State) store.Bookkeeping { return store.Bookkeeping{State: state} }
