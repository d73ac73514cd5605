package gateway_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"rideshare/gateway"
	"rideshare/internal/httpapi"
	"rideshare/internal/serve"
)

// front is a gateway in front of functions that have their replicas at addresses of 127.0.0.0/8.
type front struct {
	*testing.T
	url     string
	handler http.Handler // the gateway
	port    string       // of all replicas
}

// start starts a gateway and one replica for each handler. Each replica answers for all functions.
func start(t *testing.T, timeout time.Duration, handlers ...http.HandlerFunc) *front {
	t.Helper()
	f := &front{T: t}
	var addrs []netip.Addr
	for i, h := range handlers {
		addr := netip.AddrFrom4([4]byte{127, 0, 0, byte(i + 1)})
		addrs = append(addrs, addr)
		l, err := net.Listen("tcp", net.JoinHostPort(addr.String(), f.port))
		if err != nil {
			t.Fatal(err)
		}
		_, f.port, _ = net.SplitHostPort(l.Addr().String())
		if h == nil { // nothing listens there
			_ = l.Close()
			continue
		}
		f.serve(l, h)
	}
	handler, err := gateway.New(gateway.Config{
		Users: "users:" + f.port, Rides: "rides:" + f.port, Orchestrator: "orchestrator:" + f.port,
		Timeout: timeout, Logger: slog.New(slog.DiscardHandler),
		Lookup: func(context.Context, string) ([]netip.Addr, error) { return addrs, nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f.url, f.handler = "http://"+l.Addr().String(), handler
	f.serve(l, handler)
	return f
}

func (f *front) serve(l net.Listener, h http.Handler) {
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- serve.HTTP(ctx, l, h) }()
	f.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			f.Error(err)
		}
	})
}

// call returns the status and the body of an answer.
func (f *front) call(method, path, body string, header ...string) (int, string) {
	f.Helper()
	r, err := http.NewRequestWithContext(f.Context(), method, f.url+path, strings.NewReader(body))
	if err != nil {
		f.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Add(header[i], header[i+1])
	}
	// A client of its own for each call: net/http's would repeat requests on connections that it has kept.
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	answer, err := client.Do(r)
	if err != nil {
		f.Fatal(err)
	}
	defer answer.Body.Close() //nolint:errcheck // read to the end
	data, err := io.ReadAll(answer.Body)
	if err != nil {
		f.Fatal(err)
	}
	return answer.StatusCode, string(data)
}

// raw sends a text to the gateway, and returns what it answers until it closes the connection.
func (f *front) raw(text string) string {
	f.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(f.url, "http://"))
	if err != nil {
		f.Fatal(err)
	}
	defer conn.Close() //nolint:errcheck // read to the end
	if _, err := io.WriteString(conn, text); err != nil {
		f.Fatal(err)
	}
	_ = conn.SetReadDeadline(time.Now().Add(20 * time.Second))
	answer, _ := io.ReadAll(conn)
	return string(answer)
}

// echo answers with what has come.
func echo(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(err)
	}
	_, _ = fmt.Fprintf(w, "%s %s %s key=%q for=%q %s", r.Method, r.Host, r.RequestURI, r.Header.Get("Idempotency-Key"), r.Header["X-Forwarded-For"], body)
}

// hangUp ends the connection without an answer.
func hangUp(w http.ResponseWriter, _ *http.Request) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(err)
	}
	_ = conn.Close()
}

func TestRoute(t *testing.T) {
	for path, want := range map[string]gateway.Function{
		"/": gateway.Rides, "/docs": gateway.Rides, "/metrics": gateway.Rides, "/users": gateway.Rides, "/api/v1": gateway.Rides,
		"/api/v1/rides": gateway.Rides, "/api/v1/rides/1/users": gateway.Rides, "/api/v1/other": gateway.Rides, "/api/v1/usersx": gateway.Rides,
		"/api/v1/users": gateway.Users, "/api/v1/users/db": gateway.Users, "/api/v1/sessions": gateway.Users,
		"/api/v1/db/read": gateway.Orchestrator, "/api/v1/crash/master": gateway.Orchestrator,
		"/api/v1/worker/list": gateway.Orchestrator, "/api/v1/cluster": gateway.Orchestrator, "/api/v1/cluster/switchover": gateway.Orchestrator,
	} {
		if got := gateway.Route(path); got != want {
			t.Errorf("%s goes to %v, want %v", path, got, want)
		}
	}
}

func TestRequestsArriveAsTheyAre(t *testing.T) {
	t.Parallel()
	f := start(t, time.Minute, echo)
	host := strings.TrimPrefix(f.url, "http://")
	for _, c := range []struct{ method, path, body, want string }{
		{"GET", "/api/v1/rides?a=%zz;b", "", `GET ` + host + ` /api/v1/rides?a=%zz;b key="" for=["6.6.6.6, 127.0.0.1"] `},
		{"GET", "/api/v1/users/a%2Fb/c%20d", "", `GET ` + host + ` /api/v1/users/a%2Fb/c%20d key="" for=["6.6.6.6, 127.0.0.1"] `},
		{"POST", "/api/v1/db/read", "{}", `POST ` + host + ` /api/v1/db/read key="" for=["6.6.6.6, 127.0.0.1"] {}`},
		{"POST", "/api/v1/sessions", "{}", `POST ` + host + ` /api/v1/sessions key="" for=["6.6.6.6, 127.0.0.1"] {}`},
		{"POST", "/api/v1/crash/master", "", `POST ` + host + ` /api/v1/crash/master key="" for=["6.6.6.6, 127.0.0.1"] `},
	} {
		if code, got := f.call(c.method, c.path, c.body, "X-Forwarded-For", "6.6.6.6"); code != 200 || got != c.want {
			t.Errorf("%s %s: %d\n%s, want\n%s", c.method, c.path, code, got, c.want)
		}
	}
	if _, got := f.call("DELETE", "/api/v1/rides/1", "", "Idempotency-Key", "mine"); !strings.Contains(got, `key="mine"`) {
		t.Error(got)
	}
	keys := map[string]bool{}
	for _, method := range []string{"POST", "PUT", "DELETE"} {
		_, got := f.call(method, "/api/v1/rides", "")
		_, key, _ := strings.Cut(got, "key=")
		keys[key] = true
	}
	if len(keys) != 3 || keys[`""`] {
		t.Errorf("keys of writes that came without: %v", keys)
	}
}

// A function sees nothing of a body that is not whole. Its client is told at once.
func TestBodiesThatAreNotWhole(t *testing.T) {
	t.Parallel()
	var asked atomic.Int64
	f := start(t, time.Minute, func(http.ResponseWriter, *http.Request) { asked.Add(1) })
	head := func(method, path, more string) string {
		return method + " /api/v1/" + path + " HTTP/1.1\r\nHost: localhost\r\n" + more + "\r\n"
	}
	for name, c := range map[string]struct{ request, want string }{
		"no chunk":           {head("POST", "sessions", "Transfer-Encoding: chunked\r\n") + "zz\r\n", "400"},
		"no chunk, of a GET": {head("GET", "rides/count", "Transfer-Encoding: chunked\r\n") + "zz\r\n", "400"},
		"breaks off":         {head("POST", "users", "Transfer-Encoding: chunked\r\n") + "5\r\n{\"use\r\nzz\r\n", "400"},
		"stops coming":       {head("POST", "users", "Content-Length: 10\r\n") + "{", "408"},
		"large, breaks off":  {head("POST", "rides", "Transfer-Encoding: chunked\r\n") + "20000\r\n" + strings.Repeat(" ", 0x20000) + "\r\nzz\r\n", "400"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := f.raw(c.request); !strings.HasPrefix(got, "HTTP/1.1 "+c.want) {
				t.Errorf("the answer is %q, want %s", got, c.want)
			}
		})
	}
	t.Cleanup(func() {
		if n := asked.Load(); n != 0 {
			t.Errorf("functions got %d requests", n)
		}
	})
}

// What is too large is refused by the function, whose answer says more, but the function does not get it.
func TestBodiesThatAreTooLarge(t *testing.T) {
	t.Parallel()
	f := start(t, time.Minute, httpapi.LimitBody(httpapi.MaxBody)(http.HandlerFunc(echo)).ServeHTTP)
	large := strings.Repeat("x", 10<<20)
	for name, body := range map[string]io.Reader{"in one piece": strings.NewReader(large), "chunked": io.MultiReader(strings.NewReader(large))} {
		for range 5 {
			answer, err := http.Post(f.url+"/api/v1/rides", "application/json", body)
			if err != nil {
				t.Fatal(name, err)
			}
			_ = answer.Body.Close()
			if answer.StatusCode != http.StatusRequestEntityTooLarge {
				t.Errorf("%s: it got %d", name, answer.StatusCode)
			}
			body = strings.NewReader(large)
		}
	}
}

func TestLargeBodiesArrive(t *testing.T) {
	t.Parallel()
	f := start(t, time.Minute, echo)
	large := strings.Repeat("x", httpapi.MaxBody)
	if code, got := f.call("POST", "/api/v1/rides", large); code != 200 || !strings.HasSuffix(got, large) {
		t.Errorf("%d, and %d bytes", code, len(got))
	}
}

// Where the replica dies that executes a request, the next one gets it, unless it is a command.
func TestADyingReplica(t *testing.T) {
	t.Parallel()
	half := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "10")
		_, _ = io.WriteString(w, "half")
		_ = http.NewResponseController(w).Flush() // or nothing of it would leave
		panic(http.ErrAbortHandler)
	}
	for how, dying := range map[string]http.HandlerFunc{"hangs up": hangUp, "breaks off": half} {
		for _, c := range []struct {
			method, path, body string
			want               int
		}{
			{"GET", "/api/v1/rides/count", "", 200},
			{"POST", "/api/v1/rides", "{}", 200},
			{"PUT", "/api/v1/users/a/password", "{}", 200},
			{"DELETE", "/api/v1/rides/1", "", 200},
			{"POST", "/api/v1/db/read", "{}", 200},
			{"POST", "/api/v1/db/write", "{}", 200},
			{"POST", "/api/v1/sessions", "{}", 200},
			{"POST", "/api/v1/crash/master", "", 502},
			{"POST", "/api/v1/cluster/switchover", "{}", 502},
		} {
			if how == "breaks off" && c.want == 502 {
				continue // it has begun its answer: the client gets half of that
			}
			t.Run(how+" "+c.path, func(t *testing.T) {
				t.Parallel()
				var asked atomic.Int64
				var first atomic.Value
				f := start(t, time.Minute, func(w http.ResponseWriter, r *http.Request) {
					body, err := io.ReadAll(r.Body)
					if err != nil {
						t.Error(err)
					}
					seen := string(body) + r.Header.Get("Idempotency-Key")
					if asked.Add(1) == 1 {
						first.Store(seen)
						dying(w, r)
						return
					}
					if first.Load() != seen {
						t.Errorf("first came %q, then %q", first.Load(), seen)
					}
				})
				code, _ := f.call(c.method, c.path, c.body)
				if code != c.want {
					t.Errorf("it got %d, want %d", code, c.want)
				}
				if n, want := asked.Load(), map[int]int64{200: 2, 502: 1}[c.want]; n != want {
					t.Errorf("functions got %d requests, want %d", n, want)
				}
			})
		}
	}
}

// A replica that takes no connections fails no request, not even a command.
func TestAReplicaThatIsGone(t *testing.T) {
	t.Parallel()
	var asked atomic.Int64
	f := start(t, time.Minute, func(http.ResponseWriter, *http.Request) { asked.Add(1) }, nil)
	const requests = 6
	for range requests {
		if code, _ := f.call("POST", "/api/v1/crash/slave", ""); code != 200 {
			t.Errorf("it got %d", code)
		}
	}
	if asked.Load() != requests {
		t.Errorf("functions got %d requests, want %d", asked.Load(), requests)
	}
}

// What happens to a request says nothing about a replica: the others are served meanwhile.
func TestNoReplicaIsAvoidedForARequest(t *testing.T) {
	t.Parallel()
	f := start(t, time.Second, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/api/v1/rides/slow" {
			<-r.Context().Done()
		}
	})
	for range 2 {
		if code, body := f.call("GET", "/api/v1/rides/slow", ""); code != 504 {
			t.Errorf("it got %d %s", code, body)
		}
		if code, _ := f.call("GET", "/api/v1/rides/count", ""); code != 200 {
			t.Errorf("the next one got %d", code)
		}
	}
}

// A request that nobody could send on is refused. It says nothing about a function.
func TestRequestsThatAreNone(t *testing.T) {
	t.Parallel()
	var asked atomic.Int64
	f := start(t, time.Minute, func(http.ResponseWriter, *http.Request) { asked.Add(1) })
	for request, want := range map[string]string{
		"GET http://xn--%ff/ HTTP/1.1\r\nHost: x\r\n\r\n": "400",
		"GET /\xff HTTP/1.1\r\nHost: \xff\r\n\r\n":        "400",
		"GET http://a\"b/ HTTP/1.1\r\nHost: x\r\n\r\n":    "400",
		"GET http:foo HTTP/1.1\r\nHost: x\r\n\r\n":        "400",
		"GET / HTTP/1.0\r\n\r\n":                          "400",
		"CONNECT x:80 HTTP/1.1\r\nHost: x:80\r\n\r\n":     "405",
		"CONNECT / HTTP/1.1\r\nHost: x\r\n\r\n":           "405",
	} {
		if got := f.raw(strings.Replace(request, "\r\n\r\n", "\r\nConnection: close\r\n\r\n", 1)); !strings.Contains(got, " "+want+" ") {
			t.Errorf("%q got %.100q, want %s", request, got, want)
		}
	}
	if n := asked.Load(); n != 0 {
		t.Errorf("functions got %d requests", n)
	}
	upgrade := "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, close\r\nUpgrade: \xff\r\n\r\n"
	if got := f.raw(upgrade); !strings.HasPrefix(got, "HTTP/1.1 200") || asked.Load() != 1 {
		t.Errorf("an upgrade got %.100q", got)
	}
}

// A command is never sent twice, also on a connection that has been used before, on which net/http would.
func TestACommandOnAUsedConnection(t *testing.T) {
	t.Parallel()
	var commands atomic.Int64
	f := start(t, time.Minute, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			commands.Add(1)
			hangUp(w, r)
		}
	})
	for _, header := range []string{"Idempotency-Key", "X-Idempotency-Key"} {
		f.call("GET", "/api/v1/cluster", "")
		if code, _ := f.call("POST", "/api/v1/crash/master", "", header, "k"); code != 502 {
			t.Errorf("%s: it got %d, want 502", header, code)
		}
	}
	if n := commands.Load(); n != 2 {
		t.Errorf("functions got %d commands, want 2", n)
	}
}

func TestHead(t *testing.T) {
	t.Parallel()
	f := start(t, time.Minute, echo)
	if code, body := f.call("HEAD", "/api/v1/rides/count", ""); code != 200 || body != "" {
		t.Errorf("it got %d %q", code, body)
	}
}

// A large answer arrives whole, and one that breaks off after 64 KiB is not taken for the whole.
func TestLargeAnswers(t *testing.T) {
	t.Parallel()
	const size = 1 << 20
	f := start(t, time.Minute, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, strings.Repeat("x", size))
		if r.URL.Path == "/api/v1/rides/half" {
			panic(http.ErrAbortHandler)
		}
	})
	if code, body := f.call("GET", "/api/v1/rides", ""); code != 200 || len(body) != size {
		t.Errorf("it got %d, %d bytes", code, len(body))
	}
	if answer, err := http.Get(f.url + "/api/v1/rides/half"); err == nil {
		if n, err := io.Copy(io.Discard, answer.Body); err == nil {
			t.Errorf("%d bytes are taken for the whole answer", n)
		}
		_ = answer.Body.Close()
	}
}

// A stream of events outlives the server's limits of time, and ends when the server does.
func TestAStreamOfEvents(t *testing.T) {
	t.Parallel()
	const limit = 200 * time.Millisecond
	f := start(t, time.Minute, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", httpapi.EventType)
		for r.Context().Err() == nil {
			_, _ = io.WriteString(w, "data\n")
			_ = http.NewResponseController(w).Flush()
			select {
			case <-time.After(limit / 4): // a pace
			case <-r.Context().Done():
			}
		}
	})
	ending, end := context.WithCancel(t.Context())
	front := httptest.NewUnstartedServer(f.handler)
	front.Config.ReadTimeout, front.Config.WriteTimeout = limit, limit
	front.Config.BaseContext = func(net.Listener) context.Context { return httpapi.WithEnding(context.Background(), ending.Done()) }
	front.Start()
	defer front.Close()
	answer, err := http.Get(front.URL + "/api/v1/cluster/events")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close() //nolint:errcheck // read to its end
	lines, begun := bufio.NewScanner(answer.Body), time.Now()
	for time.Since(begun) < 5*limit {
		if !lines.Scan() {
			t.Fatalf("it ends after %v: %v", time.Since(begun), lines.Err())
		}
	}
	end()
	for lines.Scan() {
	}
	if err := lines.Err(); err != nil {
		t.Errorf("its end: %v", err)
	}
}

// Where no replica is known the gateway looks for 15 s, and says then what is wrong.
func TestNoReplica(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		lookups := 0
		h, err := gateway.New(gateway.Config{
			Users: "users:1", Rides: "rides:1", Orchestrator: "orchestrator:1", Logger: slog.New(slog.DiscardHandler),
			Lookup: func(context.Context, string) ([]netip.Addr, error) { lookups++; return nil, errors.New("no such host") },
		})
		if err != nil {
			t.Fatal(err)
		}
		w, begun := httptest.NewRecorder(), time.Now()
		h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/api/v1/users", nil))
		if w.Code != 502 || !strings.Contains(w.Body.String(), "users cannot be reached") {
			t.Errorf("%d %s", w.Code, w.Body)
		}
		if took := time.Since(begun); took < 15*time.Second || took > 16*time.Second {
			t.Errorf("after %v", took)
		}
		if lookups < 200 || lookups > 301 {
			t.Errorf("%d lookups", lookups)
		}
	})
}

func TestEventsComeAtOnce(t *testing.T) {
	t.Parallel()
	more := make(chan struct{})
	f := start(t, time.Minute, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		for i := 0; ; i++ {
			_, _ = fmt.Fprintf(w, "data: %d\n\n", i)
			_ = http.NewResponseController(w).Flush()
			select {
			case <-more:
			case <-r.Context().Done():
				close(more)
				return
			}
		}
	})
	ctx, leave := context.WithCancel(t.Context())
	defer leave()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, f.url+"/api/v1/cluster/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(answer.Body)
	for i := range 3 {
		if !lines.Scan() || lines.Text() != fmt.Sprintf("data: %d", i) || !lines.Scan() {
			t.Fatalf("event %d: %q %v", i, lines.Text(), lines.Err())
		}
		if i < 2 {
			more <- struct{}{}
		}
	}
	leave()
	_ = answer.Body.Close()
	<-more // the function learns that the client is gone
}

func TestHealth(t *testing.T) {
	t.Parallel()
	f := start(t, time.Minute, hangUp)
	if code, _ := f.call("GET", "/gateway/healthz", ""); code != 200 {
		t.Errorf("it got %d", code)
	}
}
