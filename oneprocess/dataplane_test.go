package oneprocess

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"testing"
	"time"

	"go.uber.org/goleak"

	"rideshare/internal/bus"
	"rideshare/internal/cluster"
	"rideshare/internal/db"
	"rideshare/internal/pairs"
	"rideshare/internal/telemetry"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func testLogger() *slog.Logger {
	if os.Getenv("RIDESHARE_TEST_LOG") == "" {
		return slog.New(slog.DiscardHandler)
	}
	return slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

func look(ctx context.Context, conn bus.Bus) (cluster.Topology, error) {
	body, err := conn.Call(ctx, bus.Control, bus.Request{Body: []byte(`{"topology":true}`)})
	if err != nil {
		return cluster.Topology{}, err
	}
	var a cluster.Answer
	if err := json.Unmarshal(body, &a); err != nil {
		return cluster.Topology{}, err
	}
	return *a.Topology, nil
}

func TestDataPlaneOutlivesTwentyMasters(t *testing.T) {
	dir := t.TempDir()
	folder, err := openFolder(dir, testLogger())
	if err != nil {
		t.Fatal(err)
	}
	defer folder.Close() //nolint:errcheck // it goes with the test
	d, err := newDataPlane(Config{Data: dir, Slaves: 2, MaxSlaves: 5, MinSlaves: 1, ScalePeriod: time.Minute, ScaleReads: 20}, folder, testLogger(), telemetry.New("test"))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	start := time.Now()
	go func() { done <- d.run(ctx) }()
	conn := d.broker.Connect()
	call := func(q bus.Queue, id string, v any) (db.Reply, error) {
		ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
		defer cancel()
		body, _ := json.Marshal(v)
		reply, err := conn.Call(ctx, q, bus.Request{ID: id, Body: body})
		if err != nil {
			return db.Reply{}, err
		}
		return db.DecodeReply(reply)
	}
	user := db.Write{Ops: []db.Op{{Insert: "users", Values: map[string]any{"username": "a", "password_hash": "h"}}}}
	r, err := call(bus.Writes, "u1", user)
	if err != nil || r.Write == nil {
		t.Fatalf("the first write: %+v, %v", r.Error, err)
	}
	t.Logf("first write after %v", time.Since(start))
	for i := range 20 {
		start := time.Now()
		list, _ := d.pairs.List(ctx)
		var before cluster.Topology
		before, err = look(ctx, conn)
		if err != nil {
			t.Fatal(err)
		}
		for _, w := range before.Workers {
			if w.Role == cluster.Master {
				if err := d.pairs.Kill(ctx, w.Pair, pairs.WorkerPart); err != nil {
					t.Error(err, list)
				}
			}
		}
		ride := db.Write{Ops: []db.Op{{Insert: "rides", Values: map[string]any{"ride_id": db.Next("rides"), "created_by": "a", "source": 1, "destination": 2, "departs_at": time.Now()}}}}
		r, err := call(bus.Writes, fmt.Sprint("r", i), ride)
		if err != nil || r.Error != nil {
			t.Fatal(err, r.Error)
		}
		took := time.Since(start)
		rd, err := call(bus.Reads, "", db.Read{Queries: []db.Query{{Table: "rides", Count: true}}, Consistency: db.Strong})
		if err != nil || rd.Error != nil {
			t.Fatal(err, rd.Error)
		}
		t.Logf("ride %v after %v, read %d after %v", r.Write.Results[0].Values, took, *rd.Read.Results[0].Count, time.Since(start))
	}
	top, _ := look(ctx, conn)
	j, _ := json.MarshalIndent(top, "", " ")
	t.Logf("%s", j)
	_ = conn.Close()
	cancel()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}
