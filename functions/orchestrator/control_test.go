package orchestrator

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"rideshare/internal/auth"
	"rideshare/internal/bus"
	"rideshare/internal/cluster"
	"rideshare/internal/httpapi"
	"rideshare/internal/secret"
	"rideshare/internal/serve/servetest"
)

// watched is a bus with a watcher behind it that keeps the command and answers as told.
func watched(answer cluster.Answer, command *string) *fakeBus {
	return &fakeBus{
		call: func(_ context.Context, q bus.Queue, r bus.Request) ([]byte, error) {
			var c cluster.Command
			if err := json.Unmarshal(r.Body, &c); err != nil {
				return nil, err
			}
			c.By = nil // history_test.go
			body, err := json.Marshal(c)
			if err != nil {
				return nil, err
			}
			*command = string(q) + " " + string(body)
			return json.Marshal(answer)
		},
		consumers: func(bus.Queue) (int, error) { return 1, nil },
	}
}

// withQueues is a topology as GET answers with it.
func withQueues(topology string) string {
	return strings.TrimSuffix(topology, "}") + `,"queues":[{"name":"writes","waiting":2,"consumers":1},` +
		`{"name":"reads","waiting":2,"consumers":1},{"name":"control","waiting":2,"consumers":1}]}`
}

const topologyJSON = `{"epoch":3,"master":"p1.1","log_leader":{"worker":"p1.1","epoch":3},"registry_leader":{"worker":"p1.1","epoch":3},"workers":[` +
	`{"id":"p1.1","pair":"p1","role":"master","state":"serving","pid":4330,"position":"3.9","lag":0,"reads":0,"writes":0,"database":"ok"},` +
	`{"id":"p2.1","pair":"p2","role":"slave","state":"serving","pid":1000,"position":"3.9","lag":0,"reads":0,"writes":0,"database":"ok"}],` +
	`"desired":{"slaves":1,"auto":true,"min":1,"max":5},"recoveries":[]}`

func topology(t *testing.T) cluster.Answer {
	t.Helper()
	var top cluster.Topology
	if err := json.Unmarshal([]byte(topologyJSON), &top); err != nil {
		t.Fatal(err)
	}
	return cluster.Answer{Topology: &top}
}

func TestControl(t *testing.T) { servetest.Each(t, testControl) }

func testControl(t *testing.T, via servetest.Driver) {
	no := cluster.Answer{Problem: cluster.NoSuchWorker, Message: "none"}
	for name, c := range map[string]struct {
		method, path, body string
		answer             cluster.Answer
		command            string
		status             int
		want               string
	}{
		"cluster": {http.MethodGet, "/api/v1/cluster", "", topology(t), `control {"topology":true}`, 200, withQueues(topologyJSON)},
		"workers": {http.MethodGet, "/api/v1/worker/list", "", topology(t), `control {"topology":true}`, 200, `[1000,4330]`},
		"no workers": {http.MethodGet, "/api/v1/worker/list", "", cluster.Answer{Topology: &cluster.Topology{}},
			`control {"topology":true}`, 200, `[]`},
		"crash master":  {http.MethodPost, "/api/v1/crash/master", "", cluster.Answer{Killed: []int{1000}}, `control {"crash":"master"}`, 200, `["1000"]`},
		"crash slave":   {http.MethodPost, "/api/v1/crash/slave", "", cluster.Answer{Killed: []int{4330}}, `control {"crash":"slave"}`, 200, `["4330"]`},
		"none to crash": {http.MethodPost, "/api/v1/crash/slave", "", no, `control {"crash":"slave"}`, 409, "none"},
		"count":         {http.MethodPut, "/api/v1/cluster/slaves", `{"count":3}`, topology(t), `control {"scale":{"count":3}}`, 200, topologyJSON},
		"auto":          {http.MethodPut, "/api/v1/cluster/slaves", `{"auto":true}`, topology(t), `control {"scale":{"auto":true}}`, 200, topologyJSON},
		"out of range": {http.MethodPut, "/api/v1/cluster/slaves", `{"count":99}`,
			cluster.Answer{Problem: cluster.OutOfRange, Message: "at most 5"}, `control {"scale":{"count":99}}`, 400, "at most 5"},
		"neither":       {http.MethodPut, "/api/v1/cluster/slaves", `{}`, no, ``, 400, "count"},
		"both":          {http.MethodPut, "/api/v1/cluster/slaves", `{"count":1,"auto":true}`, no, ``, 400, "count"},
		"not auto":      {http.MethodPut, "/api/v1/cluster/slaves", `{"auto":false}`, no, ``, 400, "auto"},
		"negative":      {http.MethodPut, "/api/v1/cluster/slaves", `{"count":-1}`, no, ``, 400, "count"},
		"a fraction":    {http.MethodPut, "/api/v1/cluster/slaves", `{"count":1.5}`, no, ``, 400, "count"},
		"unknown field": {http.MethodPut, "/api/v1/cluster/slaves", `{"count":1,"x":1}`, no, ``, 400, "x"},
		"switch over":   {http.MethodPost, "/api/v1/cluster/switchover", `{"to":"p2.1"}`, topology(t), `control {"switchover":{"to":"p2.1"}}`, 200, topologyJSON},
		"to anyone":     {http.MethodPost, "/api/v1/cluster/switchover", `{}`, topology(t), `control {"switchover":{}}`, 200, topologyJSON},
		"to nobody":     {http.MethodPost, "/api/v1/cluster/switchover", `{"to":"x"}`, no, `control {"switchover":{"to":"x"}}`, 409, "none"},
		"it failed": {http.MethodPost, "/api/v1/cluster/switchover", `{}`,
			cluster.Answer{Problem: cluster.Failed, Message: "no quorum"}, `control {"switchover":{}}`, 503, "no quorum"},
	} {
		t.Run(name, func(t *testing.T) {
			var command string
			want(t, do(open(via, watched(c.answer, &command)), c.method, c.path, c.body), c.status, c.want)
			if command != c.command {
				t.Errorf("command %s, want %s", command, c.command)
			}
		})
	}
}

func TestEverythingWantsTheServiceToken(t *testing.T) {
	servetest.Each(t, testEverythingWantsTheServiceToken)
}

func testEverythingWantsTheServiceToken(t *testing.T, via servetest.Driver) {
	tokens := auth.NewTokens(secret.New("secret"), nil)
	policy := &auth.Policy{On: true, Service: secret.New("s3rvice"), Tokens: tokens}
	calls := 0
	h := via(New(httpapi.Options{Guard: policy.Guard}, Config{Bus: &fakeBus{
		call: func(context.Context, bus.Queue, bus.Request) ([]byte, error) {
			calls++
			return nil, bus.ErrFull
		},
		consumers: func(bus.Queue) (int, error) { return 1, nil },
	}}))
	for path, r := range map[string][2]string{
		writePath:                    {http.MethodPost, alice},
		readPath:                     {http.MethodPost, count},
		clearPath:                    {http.MethodPost, ""},
		"/api/v1/worker/list":        {http.MethodGet, ""},
		"/api/v1/crash/master":       {http.MethodPost, ""},
		"/api/v1/crash/slave":        {http.MethodPost, ""},
		"/api/v1/cluster":            {http.MethodGet, ""},
		"/api/v1/cluster/events":     {http.MethodGet, ""},
		"/api/v1/cluster/history":    {http.MethodGet, ""},
		"/api/v1/cluster/slaves":     {http.MethodPut, `{"count":1}`},
		"/api/v1/cluster/switchover": {http.MethodPost, `{}`},
	} {
		calls = 0
		want(t, do(h, r[0], path, r[1]), 401, "")
		want(t, do(h, r[0], path, r[1], "Authorization", "Bearer x"), 401, "")
		if calls != 0 {
			t.Errorf("%s: it was called", path)
		}
		status := http.StatusServiceUnavailable
		if path == eventsPath {
			status = http.StatusNotImplemented // a recorder takes no stream
		}
		want(t, do(h, r[0], path, r[1], "Authorization", "Bearer s3rvice"), status, "")
	}
	want(t, do(h, http.MethodGet, "/readyz", ""), 200, "{}")
}

// Each question is a round trip to the broker.
func TestClusterAsksOnceForEachQueue(t *testing.T) {
	var command string
	b := watched(topology(t), &command)
	var asked []bus.Queue
	b.consumers = func(q bus.Queue) (int, error) { asked = append(asked, q); return 1, nil }
	want(t, do(open(servetest.Direct, b), http.MethodGet, "/api/v1/cluster", ""), 200, withQueues(topologyJSON))
	if want := []bus.Queue{bus.Writes, bus.Reads, bus.Control}; !slices.Equal(asked, want) {
		t.Errorf("the broker was asked about %v, want %v", asked, want)
	}
}
