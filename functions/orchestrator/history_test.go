package orchestrator

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"rideshare/internal/auth"
	"rideshare/internal/bus"
	"rideshare/internal/cluster"
	"rideshare/internal/dbclient/dbtest"
	"rideshare/internal/httpapi"
	"rideshare/internal/secret"
)

// audited is the function behind a gateway, with a watcher that remembers the commands.
func audited(commands *[]cluster.Command, watcher error) (http.Handler, *strings.Builder) {
	database := &dbtest.DB{}
	b := &fakeBus{call: func(ctx context.Context, q bus.Queue, r bus.Request) ([]byte, error) {
		if q != bus.Control {
			return database.Call(ctx, q, r), nil
		}
		var c cluster.Command
		if err := json.Unmarshal(r.Body, &c); err != nil {
			return nil, err
		}
		*commands = append(*commands, c)
		if watcher != nil {
			return nil, watcher
		}
		return json.Marshal(cluster.Answer{Topology: &cluster.Topology{}, Killed: []int{1}})
	}}
	policy := &auth.Policy{On: true, Service: secret.New("s3rvice"), Database: secret.New("d4tabase")}
	log := &strings.Builder{}
	options := httpapi.Options{Guard: policy.Guard, Logger: slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelWarn}))}
	return New(options, Config{Bus: b, Trust: httpapi.Trust{Forwarded: true}}), log
}

// as are the headers of a request with a token.
func as(token string) []string {
	return []string{"Authorization", "Bearer " + token, "X-Operator", "alice@laptop", "X-Forwarded-For", "6.6.6.6, 10.0.0.7"}
}

var alices = cluster.Operator{Name: "alice@laptop", Token: secret.Fingerprint("s3rvice"), From: "10.0.0.7"}

// Every command of an operator tells the watcher who gives it, or what was done without the watcher.
func TestCommandsSayWhoGivesThem(t *testing.T) {
	for _, c := range []struct{ method, path, body, done string }{
		{http.MethodPost, "/api/v1/crash/master", "", ""},
		{http.MethodPost, "/api/v1/crash/slave", "", ""},
		{http.MethodPut, "/api/v1/cluster/slaves", `{"count":2}`, ""},
		{http.MethodPost, "/api/v1/cluster/switchover", `{}`, ""},
		{http.MethodPost, clearPath, "", "empty the database: done"},
		{http.MethodPost, writePath, alice, "write to the database: done"},
		{http.MethodPost, writePath, `{"ops":[{"check":"users","expect":2}]}`, "write to the database: failed: "},
		{http.MethodPost, readPath, count, "read from the database: done"},
		{http.MethodGet, "/api/v1/db/snapshot", "", "read all of the database: done"},
	} {
		var commands []cluster.Command
		h, _ := audited(&commands, nil)
		do(h, c.method, c.path, c.body, as("s3rvice")...)
		if len(commands) == 0 || commands[0].By == nil || *commands[0].By != alices {
			t.Errorf("%s %s: %+v", c.method, c.path, commands)
			continue
		}
		done := ""
		if d := commands[0].Done; d != nil {
			done = d.What + ": " + d.Result
		}
		if !strings.HasPrefix(done, c.done) || (done == "") != (c.done == "") {
			t.Errorf("%s %s: %q", c.method, c.path, done)
		}
	}
}

// Requests that functions make for users leave no record, and neither does reading the topology.
func TestWhatLeavesNoRecord(t *testing.T) {
	var commands []cluster.Command
	h, _ := audited(&commands, nil)
	do(h, http.MethodPost, writePath, alice, as("d4tabase")...)
	do(h, http.MethodPost, readPath, count, as("d4tabase")...)
	do(h, http.MethodGet, "/api/v1/cluster", "", as("s3rvice")...)
	do(h, http.MethodPost, clearPath, "", as("d4tabase")...) // 401
	for _, c := range commands {
		if c.By != nil || c.Done != nil {
			t.Errorf("%+v", c)
		}
	}
}

// A program that writes a thousand times leaves one record a minute.
func TestManyWritesLeaveFewRecords(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var commands []cluster.Command
		h, _ := audited(&commands, nil)
		for range 121 {
			do(h, http.MethodPost, readPath, count, as("s3rvice")...)
			time.Sleep(time.Second)
		}
		if len(commands) != 3 {
			t.Errorf("%d records of two minutes", len(commands))
		}
	})
}

func TestRecentIsBounded(t *testing.T) {
	var r recent
	now := time.Now()
	n := 0
	for i := range 10 * maxRecent {
		if r.first(cluster.Operator{Name: fmt.Sprint(i)}, "a", now) {
			n++
		}
	}
	if n != maxRecent+1 || len(r.seen) != maxRecent+1 {
		t.Errorf("%d records, %d operators", n, len(r.seen))
	}
	if !r.first(cluster.Operator{Name: "one too many"}, "b", now) {
		t.Error("many names hide what is done under another one")
	}
}

// Without a watcher the database can be emptied nevertheless, and the log tells of it.
func TestNoWatcherKeepsTheRecord(t *testing.T) {
	var commands []cluster.Command
	h, log := audited(&commands, errors.New("no route"))
	want(t, do(h, http.MethodPost, clearPath, "", as("s3rvice")...), 200, "{}")
	for _, text := range []string{"alice@laptop", "10.0.0.7", "empty the database", secret.Fingerprint("s3rvice")} {
		if !strings.Contains(log.String(), text) {
			t.Errorf("the log does not have %q: %s", text, log)
		}
	}
}

// The token of functions advances no sequence: that is part of a restore.
func TestOperatorsAloneAdvanceSequences(t *testing.T) {
	var commands []cluster.Command
	h, _ := audited(&commands, nil)
	const advance = `{"ops":[{"advance":"rides","to":9}]}`
	want(t, do(h, http.MethodPost, writePath, advance, as("d4tabase")...), 403, "operators")
	want(t, do(h, http.MethodPost, writePath, advance, as("s3rvice")...), 200, `{"results":[{"rows":0}],"position":"1.1"}`)
}
