// Package lambda runs the functions' bootstraps as Lambda does: against a runtime API, with events.
package lambda

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// sandbox is one process of a function, and the runtime API that it gets its invocations from:
// https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
type sandbox struct {
	cmd    *exec.Cmd
	api    *httptest.Server
	log    output
	begun  time.Time
	ready  chan time.Duration // how long it took to ask for the first invocation
	events chan *invocation   // to hand out
	ended  chan struct{}      // closed when the process has ended
	err    error              // how it ended

	once    sync.Once
	pending sync.Map // invocations that are not answered yet, by id
	last    atomic.Uint64
}

// invocation is one event, and what becomes of it.
type invocation struct {
	id       string
	event    []byte
	deadline time.Time
	outcome  chan outcome // has room for one
}

type outcome struct {
	answer []byte
	err    error
}

// timeout is how long an invocation may take: longer than a request may, so that its answer is seen.
const timeout = 29 * time.Second

// start starts a bootstrap. Kill ends it.
func start(bootstrap string, env ...string) (*sandbox, error) {
	s := &sandbox{ready: make(chan time.Duration, 1), events: make(chan *invocation), ended: make(chan struct{})}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /2018-06-01/runtime/invocation/next", s.next)
	mux.HandleFunc("POST /2018-06-01/runtime/invocation/{id}/response", s.response)
	mux.HandleFunc("POST /2018-06-01/runtime/invocation/{id}/error", s.failure)
	mux.HandleFunc("POST /2018-06-01/runtime/init/error", s.initError)
	mux.HandleFunc("POST /2020-01-01/extension/register", register)
	mux.HandleFunc("GET /2020-01-01/extension/event/next", nothing)
	s.api = httptest.NewServer(mux)
	s.cmd = exec.Command(bootstrap)
	s.cmd.Env = append([]string{
		"AWS_LAMBDA_RUNTIME_API=" + s.api.Listener.Addr().String(), "AWS_LAMBDA_FUNCTION_NAME=test",
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE=256", "AWS_LAMBDA_FUNCTION_VERSION=$LATEST", "AWS_REGION=eu-central-1",
		"LAMBDA_TASK_ROOT=/var/task", "_HANDLER=bootstrap", "TZ=:UTC",
	}, env...)
	s.cmd.Stdout, s.cmd.Stderr = &s.log, &s.log
	s.begun = time.Now()
	if err := s.cmd.Start(); err != nil {
		s.api.Close()
		return nil, err
	}
	go func() {
		s.err = s.cmd.Wait()
		close(s.ended)
	}()
	return s, nil
}

// run starts a bootstrap, which ends with the test.
func run(t *testing.T, bootstrap string, env ...string) *sandbox {
	t.Helper()
	s, err := start(bootstrap, env...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		s.kill()
		if t.Failed() {
			t.Logf("%s printed:\n%s", bootstrap, s.log.String())
		}
	})
	return s
}

// kill ends the process at once, as Lambda does with one that it needs no more.
func (s *sandbox) kill() {
	_ = s.cmd.Process.Kill() // an error means that it has ended
	<-s.ended
	s.api.CloseClientConnections()
	s.api.Close()
}

// signal sends the process a signal.
func (s *sandbox) signal(t testing.TB, signal os.Signal) {
	t.Helper()
	if err := s.cmd.Process.Signal(signal); err != nil {
		t.Fatal(err)
	}
}

// invoke hands an event to the process, and waits for the answer. It is a servetest.Invoke.
func (s *sandbox) invoke(ctx context.Context, event []byte) ([]byte, error) {
	return s.invokeFor(ctx, timeout, event)
}

// invokeFor is invoke with another time that the invocation may take.
func (s *sandbox) invokeFor(ctx context.Context, limit time.Duration, event []byte) ([]byte, error) {
	i := &invocation{
		id: fmt.Sprintf("8476a536-e9f4-11e8-9739-%012x", s.last.Add(1)), event: event,
		deadline: time.Now().Add(limit), outcome: make(chan outcome, 1),
	}
	s.pending.Store(i.id, i)
	defer s.pending.Delete(i.id)
	ctx, cancel := context.WithDeadline(ctx, i.deadline)
	defer cancel()
	select {
	case s.events <- i:
	case <-s.ended:
		return nil, s.gone()
	case <-ctx.Done():
		return nil, fmt.Errorf("the function does not ask for an invocation: %w", ctx.Err())
	}
	select {
	case o := <-i.outcome:
		return o.answer, o.err
	case <-s.ended:
		return nil, s.gone()
	case <-ctx.Done():
		return nil, fmt.Errorf("the function does not answer: %w", ctx.Err())
	}
}

func (s *sandbox) gone() error {
	return fmt.Errorf("the process has ended (%w):\n%s", errors.Join(errors.New("it should not"), s.err), s.log.String())
}

// next hands out an invocation, when there is one.
func (s *sandbox) next(w http.ResponseWriter, r *http.Request) {
	s.once.Do(func() { s.ready <- time.Since(s.begun) })
	select {
	case i := <-s.events:
		h := w.Header()
		h.Set("Lambda-Runtime-Aws-Request-Id", i.id)
		h.Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(i.deadline.UnixMilli(), 10))
		h.Set("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:eu-central-1:123456789012:function:test")
		h.Set("Lambda-Runtime-Trace-Id", "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Parent=9a9197af755a6419;Sampled=1")
		h.Set("Content-Type", "application/json")
		_, _ = w.Write(i.event) // an error means that the process is gone
	case <-r.Context().Done():
	}
}

func (s *sandbox) response(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	s.settle(w, r, outcome{body, err})
}

func (s *sandbox) failure(w http.ResponseWriter, r *http.Request) {
	s.settle(w, r, outcome{nil, problemOf(r)})
}

// settle ends an invocation.
func (s *sandbox) settle(w http.ResponseWriter, r *http.Request, o outcome) {
	i, ok := s.pending.LoadAndDelete(r.PathValue("id"))
	if !ok {
		http.Error(w, `{"errorMessage":"there is no such invocation","errorType":"InvalidRequestID"}`, http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusAccepted)
	_, _ = io.WriteString(w, `{"status":"OK"}`)
	i.(*invocation).outcome <- o
}

func (s *sandbox) initError(w http.ResponseWriter, r *http.Request) {
	fmt.Fprintf(&s.log, "init error: %v\n", problemOf(r))
	w.WriteHeader(http.StatusAccepted)
}

// problemOf reads the body of an error report.
func problemOf(r *http.Request) error {
	var report struct{ ErrorMessage, ErrorType string }
	if err := json.NewDecoder(r.Body).Decode(&report); err != nil {
		return fmt.Errorf("the function failed, and its report cannot be read: %w", err)
	}
	return fmt.Errorf("the function failed: %s: %s", report.ErrorType, report.ErrorMessage)
}

// register registers an extension: who does gets SIGTERM before SIGKILL.
func register(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Lambda-Extension-Identifier", "5f3c1c5e-2c0b-4f63-8f0b-5a6c1a2b3c4d")
	_, _ = io.WriteString(w, `{"functionName":"test","functionVersion":"$LATEST","handler":"bootstrap"}`)
}

// nothing is what an extension without events gets.
func nothing(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }

// output collects what a process prints.
type output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}
