package orchestrator

import (
	"context"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"rideshare/internal/cluster"
	"rideshare/internal/httpapi"
)

type historyInput struct {
	Limit int `query:"limit" minimum:"1" maximum:"300" default:"50" doc:"At most so many, the newest"`
}

type historyOutput struct {
	Body []cluster.Record `nullable:"false"`
}

func (f *function) registerHistory(api *httpapi.API) {
	httpapi.Register(api, huma.Operation{
		OperationID: "get-history", Method: http.MethodGet, Path: "/api/v1/cluster/history", Tags: []string{clusterTag},
		Summary: "List what operators have done, the newest first",
		Description: "Every command that changes the cluster or reads or writes data with the service token leaves a record. " +
			"Of the reads and the writes of one operator there is at most one record a minute each. The last 300 are kept.",
		Security: httpapi.Require(httpapi.Service),
	}, httpapi.Answers{
		200: "The records",
		503: httpapi.MeansUnavailable,
	}, f.history)
}

func (f *function) history(ctx context.Context, in *historyInput) (*historyOutput, error) {
	answer, err := f.control(ctx, cluster.Command{History: true})
	if err != nil {
		return nil, err
	}
	records := append([]cluster.Record{}, answer.History...)
	for i := range records {
		records[i].ID = ""
	}
	return &historyOutput{Body: records[:min(len(records), in.Limit)]}, nil
}

// by returns who gives the command that ctx is of.
func (f *function) by(ctx context.Context) *cluster.Operator {
	client := httpapi.ClientOf(ctx)
	return &cluster.Operator{Name: client.Operator, Token: httpapi.CallerOf(ctx).Token, From: host(f.trust.Address(client))}
}

// host returns an address without its port.
func host(address string) string {
	if of, err := netip.ParseAddrPort(address); err == nil {
		return of.Addr().Unmap().String()
	}
	return httpapi.Printable(address, maxAddress)
}

// maxAddress is how much of an address is recorded that a proxy has made up.
const maxAddress = 64

// recordTime bounds how long a command waits for the record of it. A request that has used up its own time waits
// for leastRecordTime: Lambda ends an invocation 2 s after that.
const (
	recordTime      = 3 * time.Second
	leastRecordTime = time.Second
)

// done leaves a record of a command that was carried out without the watcher. It was: a watcher that cannot be
// reached does not change that, and the log says so.
func (f *function) done(ctx context.Context, what string, err error) {
	result := "done"
	if err != nil {
		result = "failed: " + httpapi.FromError(err).Detail
	}
	command := cluster.Command{By: f.by(ctx), Done: &cluster.Done{What: what, Result: result}}
	left := recordTime
	if end, ok := ctx.Deadline(); ok {
		left = min(max(time.Until(end), leastRecordTime), recordTime)
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), left)
	defer cancel()
	if _, err := f.control(ctx, command); err != nil {
		f.logger.Warn("an operator's command, of which the history has no record", "who", command.By.Name, "token", command.By.Token,
			"from", command.By.From, "what", what, "result", result, "why", err)
	}
}

// often is done for what a program may do many times: it leaves a record of the first time in each minute. What
// others than operators do leaves none.
func (f *function) often(ctx context.Context, what string, err error) {
	caller := httpapi.CallerOf(ctx)
	if caller.Scope == httpapi.Service && !caller.Shared && f.recent.first(*f.by(ctx), what, time.Now()) {
		f.done(ctx, what, err)
	}
}

// recordPeriod is how long no second record is left of what was recorded with often.
const recordPeriod = time.Minute

// recent knows what was recorded with often in the present period. Its zero value is ready.
type recent struct {
	mu    sync.Mutex
	begun time.Time
	seen  map[cluster.Operator]map[string]bool
}

// maxRecent bounds how many operators are told apart in a period: names are theirs to choose. All others are one.
const maxRecent = 100

// first reports whether the operator has not done this before in the present period.
func (r *recent) first(by cluster.Operator, what string, now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if now.Sub(r.begun) >= recordPeriod {
		r.begun, r.seen = now, map[cluster.Operator]map[string]bool{}
	}
	if r.seen[by] == nil && len(r.seen) >= maxRecent {
		by = cluster.Operator{} // of whom there is one record, by whoever comes first
	}
	if r.seen[by][what] {
		return false
	}
	if r.seen[by] == nil {
		r.seen[by] = map[string]bool{}
	}
	r.seen[by][what] = true
	return true
}
