package lambda

import (
	"context"
	"net/http"
	"strings"
	"sync"

	"rideshare/internal/serve/servetest"
)

// function is a function with as many processes as it needs at a time. One that has become free
// gets the next invocation, the latest first, as Lambda does it.
type function struct {
	bootstrap string
	env       []string
	places    chan struct{} // as many as there may be processes

	mu   sync.Mutex
	free []*sandbox
	all  []*sandbox
}

// concurrency is how many invocations of a function can run at a time. Further ones wait.
const concurrency = 4

func newFunction(bootstrap string, env ...string) *function {
	return &function{bootstrap: bootstrap, env: env, places: make(chan struct{}, concurrency)}
}

// invoke is a servetest.Invoke. An invocation goes on when its caller has gone.
func (f *function) invoke(ctx context.Context, event []byte) ([]byte, error) {
	f.places <- struct{}{}
	defer func() { <-f.places }()
	s, err := f.take()
	if err != nil {
		return nil, err
	}
	answer, err := s.invoke(context.WithoutCancel(ctx), event)
	if err != nil {
		s.kill()
		return nil, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.free = append(f.free, s)
	return answer, nil
}

func (f *function) take() (*sandbox, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if n := len(f.free); n > 0 {
		s := f.free[n-1]
		f.free = f.free[:n-1]
		return s, nil
	}
	s, err := start(f.bootstrap, f.env...)
	if err == nil {
		f.all = append(f.all, s)
	}
	return s, err
}

// end ends the processes, and returns what they printed.
func (f *function) end() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	var printed strings.Builder
	for _, s := range f.all {
		s.kill()
		printed.WriteString(s.log.String())
	}
	return printed.String()
}

// gateway passes each path to its function.
type gateway struct{ users, rides, orchestrator http.Handler }

func newGateway(users, rides, orchestrator servetest.Invoke) gateway {
	return gateway{servetest.Gateway(users), servetest.Gateway(rides), servetest.Gateway(orchestrator)}
}

// ServeHTTP implements http.Handler.
func (g gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	first, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/api/v1/"), "/")
	switch {
	case !strings.HasPrefix(r.URL.Path, "/api/v1/"):
		g.rides.ServeHTTP(w, r) // health, metrics and documents: any function has them
	case first == "users", first == "sessions":
		g.users.ServeHTTP(w, r)
	case first == "db", first == "crash", first == "worker", first == "cluster":
		g.orchestrator.ServeHTTP(w, r)
	default:
		g.rides.ServeHTTP(w, r)
	}
}
