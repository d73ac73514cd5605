package containers

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"rideshare/e2e/load"
	"rideshare/e2e/stack"
	"rideshare/internal/cluster"
)

// The secrets that `make rotate-secrets` replaces.
var rotated = []string{"service_token", "database_token", "metrics_token", "snapshot_token", "token_key"}

// TestRotation replaces all tokens under load. No request fails, users stay signed in, and the former tokens end.
func TestRotation(t *testing.T) {
	s := start(t, "RIDESHARE_AUTH=on")
	s.twoSlaves(t)
	before := s.secrets(t)
	s.rotate(t)
	first := s.secrets(t)
	s.rotate(t) // also while the tokens of the first time are still accepted
	after := s.secrets(t)
	var all []string
	for _, tokens := range []map[string]string{before, first, after} {
		for _, name := range rotated {
			all = append(all, tokens[name])
		}
	}
	if slices.Sort(all); len(slices.Compact(all)) != 3*len(rotated) {
		t.Error("some tokens are the same before and after, or in two scopes")
	}
	s.Target.Token = after["service_token"]
	t.Run("the former tokens end", func(t *testing.T) {
		for _, name := range []string{"service_token", "database_token"} {
			s.Until("the former "+name+" is refused", func() bool {
				a, err := load.NewTarget(s.Target.URL, first[name], 1).Call(t.Context(), http.MethodPost, "/db/read", readNothing)
				return err == nil && a.Code == http.StatusUnauthorized
			})
		}
	})
	t.Run("each token opens its own scope alone", func(t *testing.T) { s.scopes(t, after) })
	t.Run("a new replica gets a snapshot", func(t *testing.T) {
		s.Destroy(s.Pick(cluster.Slave))
		s.Until("the topology is whole", s.Whole)
	})
	t.Run("history", func(t *testing.T) {
		if _, err := s.Target.Must(t.Context(), http.StatusOK, http.MethodPut, "/cluster/slaves", map[string]int{"count": 2}, "X-Operator", "alice@laptop"); err != nil {
			t.Fatal(err)
		}
		a, err := s.Target.Must(t.Context(), http.StatusOK, http.MethodGet, "/cluster/history", nil)
		if err != nil {
			t.Fatal(err)
		}
		var history []cluster.Record
		if err := json.Unmarshal(a.Body, &history); err != nil {
			t.Fatal(err)
		}
		if len(history) == 0 || history[0].Who != "alice@laptop" || history[0].What != "set the number of slaves to 2" || history[0].From == "" || history[0].Result != "done" {
			t.Errorf("%s", a.Body)
		}
	})
}

var readNothing = map[string]any{"queries": []any{map[string]any{"table": "rides", "count": true}}}

// secrets returns the present values.
func (s *site) secrets(t *testing.T) map[string]string {
	t.Helper()
	values := map[string]string{}
	for _, name := range rotated {
		value, err := s.secret(name)
		if err != nil {
			t.Fatal(err)
		}
		values[name] = value
	}
	return values
}

// secret returns the present value of a secret.
func (s *site) secret(name string) (string, error) {
	text, err := os.ReadFile(filepath.Join(s.Secrets, name))
	value, _, _ := strings.Cut(string(text), "\n")
	return value, err
}

// rotate makes rotate-secrets under load, and reports every request that fails.
func (s *site) rotate(t *testing.T) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	var callers sync.WaitGroup
	var requests atomic.Int64
	again := func(call func() error) {
		callers.Go(func() {
			for ctx.Err() == nil {
				if err := call(); err != nil && ctx.Err() == nil {
					t.Error(err)
				}
				requests.Add(1)
			}
		})
	}
	for i := range 4 {
		name := fmt.Sprintf("rotation-%s-%d", time.Now().Format("150405.000"), i)
		user := load.NewTarget(s.Target.URL, s.signIn(t, name), 1) // of the key before the rotation
		again(func() error {
			_, err := user.Must(ctx, http.StatusCreated, http.MethodPost, "/rides", map[string]any{
				"created_by": name, "timestamp": "30-11-2099:00-00-12", "source": 1, "destination": 2,
			})
			return err
		})
		again(func() error {
			_, err := user.Must(ctx, http.StatusOK, http.MethodGet, "/rides/count", nil)
			return err
		})
	}
	name := fmt.Sprintf("rotation-%s", time.Now().Format("150405.000"))
	s.signIn(t, name)
	again(func() error { // users signs it with one key, and rides verifies it with another copy of the keys
		token, err := s.session(ctx, name)
		if err == nil {
			_, err = load.NewTarget(s.Target.URL, token, 1).Must(ctx, http.StatusNoContent, http.MethodGet, "/riders/"+name+"/rides", nil)
		}
		<-time.After(2 * time.Second) // one user may sign in so often
		return err
	})
	again(func() error {
		token, err := s.secret("service_token")
		if err == nil {
			_, err = load.NewTarget(s.Target.URL, token, 1).Must(ctx, http.StatusOK, http.MethodPost, "/db/read", readNothing)
		}
		return err
	})
	again(func() error { return s.scrape(ctx, s.Service("users"), "8081") })
	again(func() error { return s.scrape(ctx, s.Pick(cluster.Slave).WorkerContainer, "7000") })
	again(func() error {
		digests, err := s.Replicas(ctx)
		if err == nil && len(digests) != 3 {
			err = fmt.Errorf("digests of %d replicas", len(digests))
		}
		return err
	})
	if err := s.Make("rotate-secrets"); err != nil {
		t.Error(err)
	}
	token, err := s.secret("service_token")
	if err != nil {
		t.Fatal(err)
	}
	s.Target.Token = token
	<-time.After(5 * time.Second) // with the new tokens, and nothing else
	stop()
	callers.Wait()
	t.Logf("%d requests", requests.Load())
}

// signIn signs a user up and in, and returns the user's token.
func (s *site) signIn(t *testing.T, name string) string {
	t.Helper()
	_, err := load.NewTarget(s.Target.URL, "", 1).Must(t.Context(), http.StatusCreated, http.MethodPut, "/users", credentials(name))
	token := ""
	if err == nil {
		token, err = s.session(t.Context(), name)
	}
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func credentials(name string) map[string]string {
	return map[string]string{"username": name, "password": strings.Repeat("a", 40)}
}

// session signs a user in, and returns the user's token.
func (s *site) session(ctx context.Context, name string) (string, error) {
	a, err := load.NewTarget(s.Target.URL, "", 1).Must(ctx, http.StatusOK, http.MethodPost, "/sessions", credentials(name))
	var session struct{ Token string }
	if err == nil {
		err = json.Unmarshal(a.Body, &session)
	}
	return session.Token, err
}

// scrape reads metrics of a container as Prometheus does, which reads its token anew each time.
func (s *site) scrape(ctx context.Context, container, port string) error {
	token, err := s.secret("metrics_token")
	if err != nil {
		return err
	}
	code, err := s.get(ctx, container, port, "/metrics", token)
	if err == nil && code != http.StatusOK {
		err = fmt.Errorf("/metrics of %s: %d", container, code)
	}
	return err
}

func (s *site) get(ctx context.Context, container, port, path, token string) (code int, err error) {
	ip, err := stack.Address(container)
	if err != nil {
		return 0, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+ip+":"+port+path, nil)
	if err != nil {
		return 0, err
	}
	req.Header.Set("Authorization", "Bearer "+token)
	resp, err := s.Target.HTTP.Do(req)
	if err != nil {
		return 0, err
	}
	return resp.StatusCode, resp.Body.Close()
}

// scopes tries every token on what each of them opens.
func (s *site) scopes(t *testing.T, tokens map[string]string) {
	worker := s.Pick(cluster.Slave).WorkerContainer
	doors := map[string]func(token string) (int, error){
		"/cluster": func(token string) (int, error) {
			a, err := load.NewTarget(s.Target.URL, token, 1).Call(t.Context(), http.MethodGet, "/cluster", nil)
			return a.Code, err
		},
		"/db/read": func(token string) (int, error) {
			a, err := load.NewTarget(s.Target.URL, token, 1).Call(t.Context(), http.MethodPost, "/db/read", readNothing)
			return a.Code, err
		},
		"metrics of users": func(token string) (int, error) {
			return s.get(t.Context(), s.Service("users"), "8081", "/metrics", token)
		},
		"metrics of the watcher": func(token string) (int, error) {
			return s.get(t.Context(), s.Service("watcher"), "8080", "/metrics", token)
		},
		"metrics of a worker": func(token string) (int, error) { return s.get(t.Context(), worker, "7000", "/metrics", token) },
		"digest of a worker":  func(token string) (int, error) { return s.get(t.Context(), worker, "7000", "/digest", token) },
	}
	opens := map[string][]string{
		"service_token":  {"/cluster", "/db/read", "metrics of users", "metrics of the watcher", "metrics of a worker"},
		"database_token": {"/db/read"},
		"metrics_token":  {"metrics of users", "metrics of the watcher", "metrics of a worker"},
		"snapshot_token": {"digest of a worker"},
		"token_key":      nil,
	}
	for _, name := range rotated {
		for door, try := range doors {
			code, err := try(tokens[name])
			want := http.StatusUnauthorized
			if slices.Contains(opens[name], door) {
				want = http.StatusOK
			}
			if err != nil || code != want {
				t.Error(errors.Join(fmt.Errorf("%s, %s: %d, want %d", name, door, code, want), err))
			}
		}
	}
}
