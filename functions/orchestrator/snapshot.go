package orchestrator

import (
	"cmp"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"rideshare/internal/backup"
	"rideshare/internal/cluster"
	"rideshare/internal/db"
	"rideshare/internal/httpapi"
)

const (
	// snapshotLimit is how long the whole may take.
	snapshotLimit = time.Hour
	// snapshotRetry is how long to wait for a replica that has not come far enough.
	snapshotRetry = 50 * time.Millisecond
)

func (f *function) registerSnapshot(api *httpapi.API) {
	httpapi.RegisterStream(api, huma.Operation{
		OperationID: "db-snapshot", Method: http.MethodGet, Path: "/api/v1/db/snapshot", Tags: []string{databaseTag},
		Summary: "Get a backup",
		Description: "The rows of one consistent snapshot, through a slave where there is one, as lines of JSON. " +
			"It holds every write acknowledged before the request. The last line has the checksum: without it the backup is cut short.",
		Security: httpapi.Require(httpapi.Service),
	}, "application/x-ndjson", httpapi.Answers{
		200: "The backup",
		503: httpapi.MeansUnavailable,
	}, f.snapshot)
}

// snapshot finds a replica that holds all that was acknowledged before, and passes on what it gives.
func (f *function) snapshot(ctx context.Context, _ *struct{}) (httpapi.Stream, error) {
	rows, position, err := f.size(ctx)
	f.often(ctx, "read all of the database", err)
	if err != nil {
		return nil, err
	}
	// The reading outlives the deadline of the request, which is for finding the replica.
	reading, stop := context.WithTimeout(context.WithoutCancel(ctx), snapshotLimit)
	found := context.AfterFunc(ctx, stop)
	source, snapshot, err := f.open(ctx, reading, position)
	if err != nil || !found() {
		stop()
		return nil, orUnavailable(err)
	}
	return func(w io.Writer, connection *http.ResponseController) error {
		defer stop()
		defer source.Close() //nolint:errcheck // nothing is written to it
		return snapshot.Write(backup.Patient(w, connection), time.Now(), rows)
	}, nil
}

// size returns the number of rows, and a position that covers every write acknowledged before.
func (f *function) size(ctx context.Context) (rows int64, _ db.Position, err error) {
	r := db.Read{Consistency: db.Strong}
	for _, t := range db.Tables {
		r.Queries = append(r.Queries, db.Query{Table: t.Name, Count: true})
	}
	body, err := json.Marshal(r)
	if err != nil {
		return 0, db.Position{}, err
	}
	result, err := f.read(ctx, body)
	if err != nil {
		return 0, db.Position{}, err
	}
	var counts []db.QueryResult
	if err := json.Unmarshal(result.Results, &counts); err != nil {
		return 0, db.Position{}, db.Errorf(db.Unavailable, "the reply cannot be read: %s", err)
	}
	for _, q := range counts {
		if q.Count != nil {
			rows += *q.Count
		}
	}
	return rows, result.Position, nil
}

// open opens a snapshot that covers the position, until ctx ends.
func (f *function) open(ctx, reading context.Context, position db.Position) (io.Closer, *backup.Snapshot, error) {
	if f.replicas == nil {
		return nil, nil, errUnreachable()
	}
	for {
		topology, err := f.topology(ctx, cluster.Command{Topology: true})
		if err != nil {
			return nil, nil, err
		}
		for _, w := range donors(topology.Body.Workers) {
			source, err := f.replicas.Snapshot(reading, w.Addr)
			if err != nil {
				continue // it may have died just now: another one, or the same again
			}
			if s, err := backup.NewSnapshot(source); err == nil && s.Position.Covers(position) {
				return source, s, nil
			}
			_ = source.Close() // nothing of it is wanted
		}
		select {
		case <-time.After(snapshotRetry):
		case <-ctx.Done():
			return nil, nil, db.Errorf(db.Unavailable, "no worker gives a snapshot at %s", position)
		}
	}
}

// donors returns the workers that give snapshots: the most advanced slave first, the master last.
func donors(workers []cluster.Worker) []cluster.Worker {
	all := slices.DeleteFunc(slices.Clone(workers), func(w cluster.Worker) bool {
		return w.State != cluster.Serving || w.Addr == ""
	})
	slices.SortStableFunc(all, func(a, b cluster.Worker) int {
		// "slave" comes after "master".
		return cmp.Or(cmp.Compare(b.Role, a.Role), cmp.Compare(a.Lag, b.Lag))
	})
	return all
}

func errUnreachable() error {
	return db.Errorf(db.Unavailable, "the workers cannot be reached from here")
}

func orUnavailable(err error) error {
	if err == nil {
		return db.Errorf(db.Unavailable, "the request took too long")
	}
	return err
}
