package orchestrator

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"rideshare/internal/auth"
	"rideshare/internal/backup"
	"rideshare/internal/bus"
	"rideshare/internal/cluster"
	"rideshare/internal/db"
	"rideshare/internal/httpapi"
	"rideshare/internal/replog"
	"rideshare/internal/secret"
	"rideshare/internal/serve/servetest"
	"rideshare/internal/store"
	"rideshare/internal/store/memory"
)

// fakeReplicas are replicas of functions.
type fakeReplicas struct {
	snapshot func(addr string) (io.ReadCloser, error)
	digest   func(addr string) (string, error)
}

func (f fakeReplicas) Snapshot(_ context.Context, addr string) (io.ReadCloser, error) {
	return f.snapshot(addr)
}
func (f fakeReplicas) Digest(_ context.Context, addr string) (string, error) { return f.digest(addr) }

// clustered is a bus with these workers behind it, whose log ends at 3.9.
func clustered(t *testing.T, workers ...cluster.Worker) *fakeBus {
	return &fakeBus{call: func(_ context.Context, q bus.Queue, r bus.Request) ([]byte, error) {
		if q == bus.Control {
			return json.Marshal(cluster.Answer{Topology: &cluster.Topology{Workers: workers, Recoveries: []cluster.Recovery{}}})
		}
		if read, err := db.DecodeRead(r.Body); err != nil || read.Consistency != db.Strong || len(read.Queries) != len(db.Tables) {
			t.Errorf("the read before a snapshot is %s", r.Body)
		}
		one := int64(1)
		return db.Reply{Read: &db.ReadResult{
			Results:  []db.QueryResult{{Count: &one}, {Count: &one}, {Count: &one}},
			Position: db.Position{Epoch: 3, Seq: 9},
		}}.Encode(), nil
	}}
}

func worker(id string, role cluster.Role, state cluster.State, lag uint64) cluster.Worker {
	return cluster.Worker{ID: id, Addr: id + ":7000", Role: role, State: state, Lag: lag}
}

// exported is the snapshot of a database with one user, at position 3.seq.
func exported(t *testing.T, seq uint64) []byte {
	t.Helper()
	s := memory.New().Open()
	tx, err := s.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ann := db.Op{Insert: "users", Values: map[string]db.Value{"username": "ann", "password_hash": "h"}}
	if _, err := tx.Execute(t.Context(), []db.Op{{Migrate: 1}, ann}); err != nil {
		t.Fatal(err)
	}
	if err := tx.Commit(t.Context(), store.Bookkeeping{State: replog.State{LogID: "l", Epoch: 3, Seq: seq}}); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if _, err := s.Export(t.Context(), &out); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// serveOver serves the function on a real connection, over which an answer can be cut off.
func serveOver(t *testing.T, c Config) string {
	server := httptest.NewServer(New(httpapi.Options{Guard: (&auth.Policy{}).Guard}, c))
	t.Cleanup(server.Close)
	return server.URL
}

func TestSnapshotComesFromTheMostAdvancedSlave(t *testing.T) {
	var asked []string
	behind := true
	replicas := fakeReplicas{snapshot: func(addr string) (io.ReadCloser, error) {
		asked = append(asked, addr)
		seq := uint64(9)
		if addr == "near:7000" {
			return nil, errors.New("died just now")
		}
		if behind { // the first time round nobody has come far enough
			seq, behind = 8, addr != "master:7000"
		}
		return io.NopCloser(bytes.NewReader(exported(t, seq))), nil
	}}
	url := serveOver(t, Config{Replicas: replicas, Bus: clustered(t,
		worker("master", cluster.Master, cluster.Serving, 0), worker("far", cluster.Slave, cluster.Serving, 2),
		worker("near", cluster.Slave, cluster.Serving, 1), worker("new", cluster.Slave, cluster.Joining, 0))})
	resp, err := http.Get(url + "/api/v1/db/snapshot")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close() //nolint:errcheck // nothing is written to it
	r, err := backup.NewReader(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	end, err := r.Read(nil, nil)
	if err != nil || end.Rows != 1 || r.Header.Estimate != 3 || r.Header.Position.String() != "3.9" {
		t.Errorf("%+v, %+v: %v", r.Header, end, err)
	}
	if got, want := fmt.Sprint(asked), "[near:7000 far:7000 master:7000 near:7000 far:7000]"; got != want {
		t.Errorf("asked %s, not %s", got, want)
	}
	if got := resp.Header.Get("Content-Type"); got != "application/x-ndjson" {
		t.Errorf("content type %q", got)
	}
}

// What a damaged or dying replica gives is cut off, and is no backup.
func TestSnapshotIsCutOffWhereItsSourceIs(t *testing.T) {
	whole := exported(t, 9)
	for name, source := range map[string]io.Reader{
		"cut":     bytes.NewReader(whole[:len(whole)-20]),
		"failing": io.MultiReader(bytes.NewReader(whole[:len(whole)-20]), iotestErr{}),
		"damaged": bytes.NewReader(bytes.Replace(whole, []byte(`"ann"`), []byte(`"eve"`), 1)),
	} {
		replicas := fakeReplicas{snapshot: func(string) (io.ReadCloser, error) { return io.NopCloser(source), nil }}
		url := serveOver(t, Config{Replicas: replicas, Bus: clustered(t, worker("a", cluster.Slave, cluster.Serving, 0))})
		resp, err := http.Get(url + "/api/v1/db/snapshot")
		if err != nil {
			continue // before the header was out
		}
		if body, err := io.ReadAll(resp.Body); err == nil {
			t.Errorf("%s: a whole answer:\n%s", name, body)
		}
		_ = resp.Body.Close()
	}
}

type iotestErr struct{}

func (iotestErr) Read([]byte) (int, error) { return 0, errors.New("connection reset") }

func TestSnapshotWithoutReplicas(t *testing.T) { servetest.Each(t, testSnapshotWithoutReplicas) }

func testSnapshotWithoutReplicas(t *testing.T, via servetest.Driver) {
	slave := worker("a", cluster.Slave, cluster.Serving, 0)
	want(t, do(open(via, clustered(t, slave)), http.MethodGet, "/api/v1/db/snapshot", ""), 503, "cannot be reached from here")
	want(t, do(open(via, clustered(t, slave)), http.MethodGet, "/api/v1/db/checksums", ""), 503, "cannot be reached from here")
}

func TestSnapshotWantsTheServiceToken(t *testing.T) {
	servetest.Each(t, testSnapshotWantsTheServiceToken)
}

func testSnapshotWantsTheServiceToken(t *testing.T, via servetest.Driver) {
	policy := &auth.Policy{On: true, Service: secret.New("right"), Tokens: auth.NewTokens(secret.New("k"), nil)}
	h := via(New(httpapi.Options{Guard: policy.Guard}, Config{Bus: clustered(t)}))
	for _, path := range []string{"/api/v1/db/snapshot", "/api/v1/db/checksums"} {
		want(t, do(h, http.MethodGet, path, ""), 401, "token")
		want(t, do(h, http.MethodGet, path, "", "Authorization", "Bearer wrong"), 401, "token")
	}
}

func TestChecksums(t *testing.T) { servetest.Each(t, testChecksums) }

func testChecksums(t *testing.T, via servetest.Driver) {
	sum := strings.Repeat("ab", 32)
	replicas := fakeReplicas{digest: func(addr string) (string, error) {
		if addr == "b:7000" {
			return "", errors.New("b:7000 answers 503")
		}
		return "9 " + sum, nil
	}}
	h := via(New(httpapi.Options{Guard: (&auth.Policy{}).Guard}, Config{Replicas: replicas, Bus: clustered(t,
		worker("a", cluster.Master, cluster.Serving, 0), worker("b", cluster.Slave, cluster.Joining, 0))}))
	want(t, do(h, http.MethodGet, "/api/v1/db/checksums", ""), 200,
		`[{"worker":"a","seq":9,"checksum":"`+sum+`"},{"worker":"b","seq":0,"checksum":"","error":"b:7000 answers 503"}]`)
}
