package docker

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"

	"rideshare/internal/db"
	"rideshare/internal/dockertest"
	"rideshare/internal/pairs"
	"rideshare/internal/store"
	"rideshare/internal/store/mysql"
)

// dial opens the database of a pair as its worker does, by the address instead of the name.
func (w *world) dial(p *Pairs, pair pairs.Pair) *mysql.Store {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), time.Minute)
	defer cancel()
	f, err := p.look(ctx, pair.ID)
	w.ok(err)
	dsn, err := p.get(ctx, f.last().ID, secretsFolder, dsnSecret)
	w.ok(err)
	address := w.inspect(f.database.ID).NetworkSettings.Networks[w.config.networkName(pair.ID)].IPAddress
	if !strings.Contains(dsn, p.config.databaseName(pair.ID)) {
		w.t.Fatal("the worker is not told the name of its database")
	}
	s, err := mysql.Open(ctx, mysql.Config{DSN: strings.Replace(dsn, p.config.databaseName(pair.ID), address, 1)})
	w.ok(err)
	w.t.Cleanup(func() { _ = s.Close() })
	return s
}

// TestRealDatabase: a new pair's database answers with the password that its worker was given, and
// after its death the next one has the same data.
func TestRealDatabase(t *testing.T) {
	buildIdle(t)
	w := newWorld(t)
	w.config.DatabaseImage = dockertest.Image(t, "mysql")
	p := w.open()
	begun := time.Now()
	pair := w.create(p)
	created := time.Since(begun)
	s := w.dial(p, pair)
	t.Logf("created in %s, answers after %s", created.Round(time.Millisecond), time.Since(begun).Round(time.Millisecond))
	tx, err := s.Begin(t.Context())
	w.ok(err)
	_, err = tx.Execute(t.Context(), []db.Op{{Migrate: db.LatestMigration}})
	w.ok(err)
	b := store.Bookkeeping{Sequences: db.Sequences{"rides": 7}}
	b.State.Seq = 5
	w.ok(tx.Commit(t.Context(), b))

	w.ok(p.Kill(t.Context(), pair.ID, pairs.DatabasePart))
	begun = time.Now()
	pair, err = p.Start(t.Context(), pair.ID)
	w.ok(err)
	s = w.dial(p, pair)
	state, err := s.State(t.Context())
	w.ok(err)
	t.Logf("started again on its data in %s", time.Since(begun).Round(time.Millisecond))
	if state.Seq != 5 {
		t.Errorf("at %d after a kill, 5 was committed", state.Seq)
	}
	w.noSecrets(p, pair)
	w.confined(p, pair)
}

// noSecrets: nothing that "docker inspect" shows has a password in it.
func (w *world) noSecrets(p *Pairs, pair pairs.Pair) {
	w.t.Helper()
	f, err := p.look(w.t.Context(), pair.ID)
	w.ok(err)
	password, err := p.get(w.t.Context(), f.database.ID, dataFolder, passwordFile)
	w.ok(err)
	for _, id := range []string{f.database.ID, f.last().ID} {
		_, raw, err := w.ContainerInspectWithRaw(w.t.Context(), id, false)
		w.ok(err)
		for _, secret := range []string{password, "amqp://secret"} {
			if secret == "" || strings.Contains(string(raw), secret) {
				w.t.Errorf("a secret is in %s", raw)
			}
		}
	}
}

// confined: limits and rights are as the package says.
func (w *world) confined(p *Pairs, pair pairs.Pair) {
	w.t.Helper()
	f, err := p.look(w.t.Context(), pair.ID)
	w.ok(err)
	for _, id := range []string{f.database.ID, f.last().ID} {
		c := w.inspect(id)
		h := c.HostConfig
		switch {
		case h.Memory == 0 || h.NanoCPUs == 0 || h.PidsLimit == nil || *h.PidsLimit == 0:
			w.t.Errorf("%s is not limited", c.Name)
		case !h.ReadonlyRootfs || len(h.CapAdd) > 0 || len(h.CapDrop) != 1 || h.Privileged || len(h.SecurityOpt) != 1:
			w.t.Errorf("%s may do too much", c.Name)
		case h.RestartPolicy.Name != container.RestartPolicyDisabled || len(h.PortBindings) > 0:
			w.t.Errorf("%s restarts, or has ports on the host", c.Name)
		}
	}
}
