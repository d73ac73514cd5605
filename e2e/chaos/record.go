package chaos

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sort"
	"sync"
	"time"
)

// Phase is a stretch of the campaign: that of a step, from the injection until everything serves again,
// or the calm between two steps.
type Phase struct {
	Step    Step // nil: calm
	Begun   time.Duration
	Reports []Report
}

// Report is what became of a fault.
type Report struct {
	Fault
	NotInjected error         // why it could not be; nil: it was
	Recovery    time.Duration // from its end until everything served again
}

// calm reports whether nothing was being broken.
func (p Phase) calm() bool { return p.Step == nil }

// Class is what the figures of a phase are added up under.
func (p Phase) Class() string {
	switch {
	case p.calm():
		return "nothing (between the faults)"
	case p.pure():
		return pureClass
	case len(p.Step) > 1:
		return "two at a time, others"
	}
	f := p.Step[0]
	if f.Kind == Pause && f.Part.ofPairs() {
		return "pause of a worker or database"
	}
	if f.Kind == Cut {
		return fmt.Sprintf("cut of the %s from the %s", f.Part, f.Peer)
	}
	return fmt.Sprintf("%s of the %s", f.Kind, f.Part)
}

const pureClass = "only kills of workers and databases, one or two at a time"

// pure reports whether only workers and databases were killed, which must cost no request.
func (p Phase) pure() bool {
	return !p.calm() && !slices.ContainsFunc(p.Step, func(f Fault) bool { return f.Kind != Kill || !f.Part.ofPairs() })
}

// Attempt is a request that was sent once. A client retries those that failed.
type Attempt struct {
	Begun, Ended time.Duration
	Failure      string // what the caller got in place of an answer; empty: an answer
}

// Operation is what a client wanted, with all of its attempts.
type Operation struct {
	Begun, Ended time.Duration
	Failure      string // why the client gave up
}

// Blame returns the index of the phase that something of that time is counted under: of all that it
// overlaps, the last one that may cost requests, else the last step, else the calm.
func Blame(phases []Phase, begun, ended time.Duration) int {
	rank := func(p Phase) int {
		switch {
		case p.calm():
			return 0
		case p.pure():
			return 1
		}
		return 2
	}
	// The first phase begins before everything.
	best := sort.Search(len(phases), func(i int) bool { return phases[i].Begun > begun }) - 1
	for i := best + 1; i < len(phases) && phases[i].Begun <= ended; i++ {
		if rank(phases[i]) >= rank(phases[best]) {
			best = i
		}
	}
	return best
}

// recorder notes what happens, from all goroutines.
type recorder struct {
	start time.Time

	mu         sync.Mutex
	phases     []Phase
	attempts   []Attempt
	operations []Operation
	history    History
}

func newRecorder() *recorder { return &recorder{start: time.Now(), phases: []Phase{{}}} }

// now is the time since the start of the campaign.
func (r *recorder) now() time.Duration { return time.Since(r.start) }

// enter begins a phase.
func (r *recorder) enter(step Step) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.phases = append(r.phases, Phase{Step: step, Begun: r.now()})
}

// report adds what became of the present phase's faults.
func (r *recorder) report(reports []Report) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.phases[len(r.phases)-1].Reports = reports
}

// operation runs what a client wants, and notes how long it took. An error that is an answer (a
// refusal) is none to the client's caller.
func (r *recorder) operation(f func() error) {
	begun := r.now()
	err := f()
	o := Operation{Begun: begun, Ended: r.now()}
	if outcomeOf(err) == Unknown {
		o.Failure = err.Error()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.operations = append(r.operations, o)
}

// add changes the history.
func (r *recorder) add(f func(*History)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	f(&r.history)
}

// look lets f look at everything.
func (r *recorder) look(f func(phases []Phase, attempts []Attempt, operations []Operation, h History)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	f(r.phases, r.attempts, r.operations, r.history)
}

// transport sends each attempt, and notes how it ended.
type transport struct {
	http.RoundTripper
	recorder *recorder
}

// RoundTrip implements http.RoundTripper.
func (t *transport) RoundTrip(req *http.Request) (*http.Response, error) {
	a := Attempt{Begun: t.recorder.now()}
	resp, err := t.RoundTripper.RoundTrip(req)
	a.Ended = t.recorder.now()
	switch {
	case err != nil:
		cause := err
		for next := errors.Unwrap(cause); next != nil; next = errors.Unwrap(next) {
			cause = next // without addresses, so that the same failures look the same
		}
		a.Failure = fmt.Sprintf("%s %s: %v", req.Method, req.URL.Path, cause)
	case resp.StatusCode >= 500 || resp.StatusCode == http.StatusTooManyRequests:
		a.Failure = fmt.Sprintf("%s %s: %s", req.Method, req.URL.Path, resp.Status)
	}
	t.recorder.mu.Lock()
	defer t.recorder.mu.Unlock()
	t.recorder.attempts = append(t.recorder.attempts, a)
	return resp, err
}
