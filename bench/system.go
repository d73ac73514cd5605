package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"rideshare/e2e/load"
)

// The names of the systems.
const (
	ours       = "RideShare, 1 master + 2 slaves"
	plain      = "plain server, one MySQL"
	group      = "plain server, Group Replication"
	oneProcess = "RideShare, one process"
)

// system is one of those that are compared.
type system struct {
	name   string
	target *load.Target
	levels bool    // its reads have levels of consistency
	rides  []int64 // that are there to be read
	token  string  // Consistency-Token of the newest of them
}

func newSystem(name, url, token string) *system {
	s := &system{name: name, target: load.NewTarget(url, token, 64), levels: name == ours || name == oneProcess}
	s.target.HTTP.Transport = asLocalhost{s.target.HTTP.Transport}
	return s
}

// asLocalhost sends requests under the name localhost: a system without tokens answers to no address that it
// does not know as its own.
type asLocalhost struct{ http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (t asLocalhost) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Host = "localhost"
	return t.RoundTripper.RoundTrip(r)
}

// awaitReady waits for a 200 on /readyz.
func (s *system) awaitReady(ctx context.Context) error {
	return until(ctx, s.name+" serves", func() error {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.target.URL+"/readyz", nil)
		if err != nil {
			return err
		}
		resp, err := s.target.HTTP.Do(req)
		if err != nil {
			return err
		}
		defer resp.Body.Close() //nolint:errcheck // nothing is written to it
		if resp.StatusCode != http.StatusOK {
			return fmt.Errorf("/readyz answers %d", resp.StatusCode)
		}
		return nil
	})
}

const (
	user       = "bench"
	ridesFirst = 1000 // that are there before the first measurement
	listed     = 10   // of them on the route that is listed
	fillers    = 16
	areas      = 198
	// The route that is listed: nobody else offers a ride on it, so that the list keeps its length.
	listedSource, listedDestination = areas - 1, areas
)

// offer is the n-th ride that is offered.
func offer(n int) map[string]any {
	source := 1 + n%(areas-3)
	return map[string]any{
		"created_by": user, "source": source, "destination": source + 1,
		"timestamp": time.Date(2090, 1, 1, 0, 0, n%86400, 0, time.UTC).Format("02-01-2006:05-04-15"),
	}
}

// seed offers the first rides.
func (s *system) seed(ctx context.Context) error {
	const sha1OfSecret = "e5e9fa1ba31ecd1ae84f75caaa474f3a663f05f4" // of "secret"
	_, err := s.target.Must(ctx, http.StatusCreated, http.MethodPut, "/users", map[string]any{"username": user, "password": sha1OfSecret})
	if err != nil {
		return fmt.Errorf("%s: %w", s.name, err)
	}
	var mu sync.Mutex
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(fillers)
	for n := range ridesFirst {
		g.Go(func() error {
			ride := offer(n)
			if n < listed {
				ride["source"], ride["destination"] = listedSource, listedDestination
			}
			id, a, err := s.create(ctx, ride)
			if err != nil {
				return fmt.Errorf("%s: %w", s.name, err)
			}
			mu.Lock()
			defer mu.Unlock()
			s.rides = append(s.rides, id)
			if s.token == "" || a.Position().Covers(load.Answer{Token: s.token}.Position()) {
				s.token = a.Token
			}
			return nil
		})
	}
	return g.Wait()
}

// create offers a ride.
func (s *system) create(ctx context.Context, ride map[string]any) (id int64, a load.Answer, err error) {
	a, err = s.target.Must(ctx, http.StatusCreated, http.MethodPost, "/rides", ride)
	var created struct{ RideID int64 }
	if err == nil {
		err = json.Unmarshal(a.Body, &created)
	}
	return created.RideID, a, err
}
