package orchestrator

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"rideshare/internal/auth"
	"rideshare/internal/bus"
	"rideshare/internal/cluster"
	"rideshare/internal/httpapi"
	"rideshare/internal/serve/servetest"
)

const eventsPath = "/api/v1/cluster/events"

// changing is a bus with a watcher behind it whose answer changes.
type changing struct {
	*fakeBus
	mu     sync.Mutex
	answer func() (cluster.Answer, error)
	depth  error
	calls  atomic.Int64
}

func newChanging(answer cluster.Answer) *changing {
	c := &changing{answer: func() (cluster.Answer, error) { return answer, nil }}
	c.fakeBus = &fakeBus{
		call: func(context.Context, bus.Queue, bus.Request) ([]byte, error) {
			c.calls.Add(1)
			c.mu.Lock()
			defer c.mu.Unlock()
			a, err := c.answer()
			if err != nil {
				return nil, err
			}
			return json.Marshal(a)
		},
		consumers: func(bus.Queue) (int, error) {
			c.mu.Lock()
			defer c.mu.Unlock()
			return 1, c.depth
		},
	}
	return c
}

func (c *changing) set(answer cluster.Answer, err, depth error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.answer, c.depth = func() (cluster.Answer, error) { return answer, err }, depth
}

// stream is a client of the events.
type stream struct {
	t      *testing.T
	lines  *bufio.Scanner
	header http.Header
	close  func()
}

func listen(t *testing.T, url string) *stream {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url+eventsPath, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode != http.StatusOK || resp.Header.Get("Content-Type") != httpapi.EventType {
		t.Fatalf("%s, %v", resp.Status, resp.Header)
	}
	s := &stream{t: t, lines: bufio.NewScanner(resp.Body), header: resp.Header, close: func() { cancel(); _ = resp.Body.Close() }}
	t.Cleanup(s.close)
	return s
}

// next returns the next event and its data.
func (s *stream) next() (name, data string) {
	s.t.Helper()
	for s.lines.Scan() {
		line := s.lines.Text()
		switch {
		case strings.HasPrefix(line, "event: "):
			name = line[len("event: "):]
		case strings.HasPrefix(line, "data: "):
			return name, line[len("data: "):]
		}
	}
	s.t.Fatalf("the stream has ended: %v", s.lines.Err())
	return "", ""
}

func (s *stream) want(name, part string) {
	s.t.Helper()
	if gotName, data := s.next(); gotName != name || !strings.Contains(data, part) {
		s.t.Errorf("event %s %s, want %s with %s", gotName, data, name, part)
	}
}

func TestEvents(t *testing.T) {
	b := newChanging(topology(t))
	server := httptest.NewServer(open(servetest.Direct, b))
	defer server.Close()
	s := listen(t, server.URL)
	defer s.close()
	if name, data := s.next(); name != "topology" || data != withQueues(topologyJSON) {
		t.Errorf("%s %s", name, data)
	}
	// Only changes are sent: the next event is the next state.
	changed := topology(t)
	changed.Topology.Master = ""
	changed.Topology.Recoveries = make([]cluster.Recovery, 50)
	b.set(changed, nil, nil)
	name, data := s.next()
	if name != "topology" || !strings.Contains(data, `"master":""`) || strings.Count(data, `"duration_ms"`) != eventRecoveries {
		t.Errorf("%s %s", name, data)
	}
	b.set(cluster.Answer{Problem: cluster.NoRegistry, Message: "no answer"}, nil, nil)
	s.want("outage", `"part":"registry"`)
	b.set(cluster.Answer{}, context.DeadlineExceeded, nil)
	s.want("outage", `"part":"watcher"`)
	b.set(cluster.Answer{}, bus.ErrUnavailable, bus.ErrUnavailable)
	s.want("outage", `"part":"broker"`)
	b.set(topology(t), nil, nil)
	s.want("topology", `"master":"p1.1"`)
}

// One read a period serves every listener; with nobody listening there is none.
func TestFeed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var reads atomic.Int64
		f := feed{period: time.Second, read: func(context.Context) []byte {
			reads.Add(1)
			return []byte{byte(reads.Load())}
		}}
		var leaves []func()
		var channels []<-chan []byte
		for range 100 {
			c, leave := f.listen()
			channels, leaves = append(channels, c), append(leaves, leave)
		}
		time.Sleep(9*time.Second + time.Millisecond)
		synctest.Wait()
		if n := reads.Load(); n != 10 {
			t.Errorf("%d reads in 9 s", n)
		}
		for _, c := range channels { // the slow ones get the newest
			if got := <-c; got[0] != 10 {
				t.Fatalf("got read %d", got[0])
			}
		}
		late, leave := f.listen()
		if got := <-late; got[0] != 10 {
			t.Errorf("who comes later gets read %d", got[0])
		}
		for _, leave := range append(leaves, leave) {
			leave()
		}
		time.Sleep(time.Minute)
		if n := reads.Load(); n != 10 {
			t.Errorf("%d reads with nobody listening", n-10)
		}
		again, leave := f.listen()
		if got := <-again; got[0] != 11 {
			t.Errorf("a new listener gets read %d", got[0])
		}
		leave()
	})
}

// A stream outlives the time that a request may take, and ends when the server does.
func TestEventsHaveNoDeadline(t *testing.T) {
	b := newChanging(topology(t))
	ending := make(chan struct{})
	const timeout = 500 * time.Millisecond
	server := httptest.NewUnstartedServer(New(httpapi.Options{Guard: (&auth.Policy{}).Guard, Timeout: timeout}, Config{Bus: b}))
	server.Config.ReadTimeout, server.Config.WriteTimeout = timeout, timeout
	server.Config.BaseContext = func(net.Listener) context.Context { return httpapi.WithEnding(context.Background(), ending) }
	server.Start()
	defer server.Close()
	s := listen(t, server.URL)
	for begun := time.Now(); time.Since(begun) < 3*timeout; {
		if !s.lines.Scan() { // comments come every half second
			t.Fatalf("it ended after %v: %v", time.Since(begun), s.lines.Err())
		}
	}
	close(ending)
	for s.lines.Scan() {
	}
	if err := s.lines.Err(); err != nil {
		t.Errorf("the end of the server: %v", err)
	}
}

// Recorders are like Lambda: an answer is handed over when it is whole.
func TestEventsWithoutStreaming(t *testing.T) { servetest.Each(t, testEventsWithoutStreaming) }

func testEventsWithoutStreaming(t *testing.T, via servetest.Driver) {
	w := do(open(via, newChanging(topology(t))), http.MethodGet, eventsPath, "")
	want(t, w, http.StatusNotImplemented, "/api/v1/cluster")
	if w.Header().Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
}

func TestQueuesOfABrokerThatIsAway(t *testing.T) {
	b := newChanging(topology(t))
	b.set(topology(t), nil, errors.New("secret address"))
	w := do(open(servetest.Direct, b), http.MethodGet, "/api/v1/cluster", "")
	if w.Code != http.StatusOK {
		t.Errorf("status %d", w.Code)
	}
	if body := w.Body.String(); strings.Contains(body, "secret") || strings.Contains(body, "queues") || !strings.Contains(body, "p1.1") {
		t.Errorf("the topology is %s", body)
	}
}
