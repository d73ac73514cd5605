package chaos

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"rideshare/client"
	"rideshare/e2e/load"
	"rideshare/internal/db"
)

const (
	writers    = 6
	sessions   = 4
	registrars = 4 // that share the registers
	registers  = 4
	think      = 100 * time.Millisecond
	// patience is how long a client retries. It is longer than any fault and its recovery, so that few
	// outcomes stay unknown.
	patience = 90 * time.Second
)

// clients are what uses the system while it is broken.
type clients struct {
	url, token string
	recorder   *recorder
	http       *http.Client
	// gate is locked while nobody may write: each client holds it for one operation at a time.
	gate sync.RWMutex

	registersOf *load.Registers // of the stretch between two pauses
	id          string          // tells this campaign's names from others'
}

func newClients(t *load.Target, r *recorder) *clients {
	inner := http.DefaultTransport.(*http.Transport).Clone()
	inner.MaxIdleConnsPerHost = writers + sessions + registrars
	return &clients{url: t.URL, token: t.Token, recorder: r, http: &http.Client{Transport: &transport{inner, r}}, id: strings.ToLower(rand.Text()[:4])}
}

// new returns a client that retries as documented, and has seen nothing yet.
func (c *clients) new() database {
	return database{client.New(c.url, client.WithToken(c.token), client.WithHTTPClient(c.http), client.WithPatience(patience))}
}

// act lets a client do one thing, unless there is a pause.
func (c *clients) act(f func() error) {
	c.gate.RLock()
	defer c.gate.RUnlock()
	c.recorder.operation(f)
}

// run lets all clients work until working ends. What was begun is finished, unless ctx ends too.
func (c *clients) run(ctx, working context.Context) (wait func(), err error) {
	var all []func(n int)
	for i := range writers {
		w, err := c.newWriter(ctx, i)
		if err != nil {
			return nil, err
		}
		all = append(all, func(n int) { w.step(ctx, n) })
	}
	for i := range sessions {
		s, err := c.newSession(ctx, i)
		if err != nil {
			return nil, err
		}
		all = append(all, func(n int) { s.step(ctx, n) })
	}
	if err := c.newRegisters(ctx); err != nil {
		return nil, err
	}
	for i := range registrars {
		d := c.new()
		all = append(all, func(int) { c.act(func() error { return c.registersOf.Step(ctx, d, i) }) })
	}
	var group sync.WaitGroup
	for _, step := range all {
		group.Go(func() {
			for n := 0; working.Err() == nil; n++ {
				step(n)
				select {
				case <-time.After(think):
				case <-working.Done():
				}
			}
		})
	}
	return group.Wait, nil
}

// newRegisters begins a history of its own, on registers of its own: what stays unknown does not
// make later verdicts harder. Nobody may act meanwhile.
func (c *clients) newRegisters(ctx context.Context) error {
	user := fmt.Sprintf("registers-%s-%d", c.id, c.recorder.now())
	err := c.new().user(ctx, user)
	if err == nil {
		c.registersOf, err = load.NewRegisters(ctx, c.new(), user, registers)
	}
	return err
}

// database speaks the database's language through the client.
type database struct{ *client.Client }

var _ load.Database = database{}

// Write implements load.Database.
func (d database) Write(ctx context.Context, ops ...db.Op) (db.WriteResult, error) {
	request, err := convert[client.WriteRequest](db.Write{Ops: ops})
	if err != nil {
		return db.WriteResult{}, err
	}
	answer, err := d.DBWrite(ctx, request)
	if err != nil {
		return db.WriteResult{}, err
	}
	return convert[db.WriteResult](answer)
}

// Read implements load.Database.
func (d database) Read(ctx context.Context, r db.Read) (db.ReadResult, error) {
	request, err := convert[client.ReadRequest](r)
	if err != nil {
		return db.ReadResult{}, err
	}
	answer, err := d.DBRead(ctx, request)
	if err != nil {
		return db.ReadResult{}, err
	}
	return convert[db.ReadResult](answer)
}

// user creates a user, who owns rides.
func (d database) user(ctx context.Context, name string) error {
	_, err := d.Write(ctx, db.Op{Insert: "users", Values: map[string]any{"username": name, "password_hash": "none"}})
	return err
}

// convert makes one of the types that have the same JSON of another, and keeps numbers exact.
func convert[T any](from any) (to T, err error) {
	data, err := json.Marshal(from)
	if err == nil {
		decoder := json.NewDecoder(strings.NewReader(string(data)))
		decoder.UseNumber()
		err = decoder.Decode(&to)
	}
	return to, err
}
