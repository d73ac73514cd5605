package lambda

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"rideshare/e2e/apitest"
	"rideshare/e2e/load"
	"rideshare/internal/dockertest"
	"rideshare/internal/serve/servetest"
)

var functions = []string{"users", "rides", "orchestrator"}

// built is the folder of the bootstraps.
var built string

func TestMain(m *testing.M) { os.Exit(buildAndRun(m)) }

// buildAndRun builds the bootstraps as they are deployed, but for this machine's architecture.
func buildAndRun(m *testing.M) int {
	dir, err := os.MkdirTemp("", "rideshare-lambda")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir) //nolint:errcheck // a temporary folder
	built = dir
	for _, name := range functions {
		build := exec.Command("go", "build", "-trimpath", "-tags", "lambda.norpc", "-ldflags", "-s -w", "-o", bootstrap(name), "rideshare/cmd/"+name)
		build.Env = append(os.Environ(), "GOOS=linux", "CGO_ENABLED=0")
		if out, err := build.CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "%s: %v\n%s", name, err, out)
			return 1
		}
	}
	return m.Run()
}

func bootstrap(name string) string { return filepath.Join(built, name, "bootstrap") }

func TestZipsAreSmall(t *testing.T) {
	const most = 12_000_000
	for _, name := range functions {
		program, err := os.ReadFile(bootstrap(name))
		if err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		z := zip.NewWriter(&out)
		w, err := z.Create("bootstrap")
		if err == nil {
			_, err = w.Write(program)
		}
		if err != nil || z.Close() != nil {
			t.Fatal(err)
		}
		t.Logf("%s: %.1f MB, zipped %.1f MB", name, float64(len(program))/1e6, float64(out.Len())/1e6)
		if out.Len() > most {
			t.Errorf("%s: the zip has %d bytes, wanted are at most %d", name, out.Len(), most)
		}
	}
}

// TestInit measures from the start of the process until it asks for the first invocation. The best
// of some starts counts, and where the machine is busy with something else there are more of them.
// Nothing is dialled meanwhile.
func TestInit(t *testing.T) {
	const most, fewest, starts = 100 * time.Millisecond, 5, 50
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close() //nolint:errcheck // nobody uses it
	dialled := make(chan struct{})
	go func() {
		if c, err := l.Accept(); err == nil {
			_ = c.Close()
			close(dialled)
		}
	}()
	for _, name := range functions {
		t.Run(name, func(t *testing.T) {
			best, n := time.Hour, 0
			for ; n < fewest || n < starts && best > most; n++ {
				s, err := start(bootstrap(name), environment("http://"+l.Addr().String(), "amqp://u:p@"+l.Addr().String()+"/")...)
				if err != nil {
					t.Fatal(err)
				}
				select {
				case took := <-s.ready:
					best = min(best, took)
				case <-s.ended:
					t.Fatal(s.gone())
				}
				s.kill()
			}
			t.Logf("best of %d: %v", n, best)
			if best > most {
				t.Errorf("%v until the first invocation is asked for, wanted are at most %v", best, most)
			}
		})
	}
	select {
	case <-dialled:
		t.Error("something was dialled")
	default:
	}
}

// What cannot work ends the process, which says why.
func TestBadConfiguration(t *testing.T) {
	s := run(t, bootstrap("users"), "RIDESHARE_AUTH=perhaps")
	select {
	case <-s.ended:
	case <-s.ready:
		t.Fatal("it asks for invocations")
	}
	if s.err == nil || !strings.Contains(s.log.String(), "RIDESHARE_AUTH") {
		t.Errorf("%v\n%s", s.err, s.log.String())
	}
}

const serviceToken = "a service token"

// environment is the configuration of all functions.
func environment(orchestrator, broker string) []string {
	return []string{
		"ORCHESTRATOR_URL=" + orchestrator, "AMQP_URL=" + broker, "RIDESHARE_AUTH=on",
		"RIDESHARE_SERVICE_TOKEN=" + serviceToken, "RIDESHARE_TOKEN_KEY=0123456789abcdef0123456789abcdef",
	}
}

func TestLambda(t *testing.T) {
	rabbitmq := dockertest.RabbitMQ(t)
	vhost := func(t *testing.T, name string) string {
		rabbitmq.Exec(t, "rabbitmqctl", "add_vhost", name)
		rabbitmq.Exec(t, "rabbitmqctl", "set_permissions", "-p", name, rabbitmq.User, ".*", ".*", ".*")
		return rabbitmq.URL() + name
	}
	t.Run("together", func(t *testing.T) {
		t.Run("API", func(t *testing.T) {
			t.Parallel()
			testAPI(t, vhost(t, "api"))
		})
		t.Run("frozen", func(t *testing.T) {
			t.Parallel()
			testFrozen(t, rabbitmq, "frozen", vhost(t, "frozen"))
		})
		t.Run("SIGTERM", func(t *testing.T) {
			t.Parallel()
			testTermination(t, rabbitmq, "terminated", vhost(t, "terminated"))
		})
	})
}

// testAPI tries the contract, and then many invocations of one process.
func testAPI(t *testing.T, broker string) {
	newPlane(broker).watch(t, t.TempDir())
	all := map[string]*function{"orchestrator": newFunction(bootstrap("orchestrator"), environment("", broker)...)}
	behind := httptest.NewServer(servetest.Gateway(all["orchestrator"].invoke))
	t.Cleanup(behind.Close)
	for _, name := range []string{"users", "rides"} {
		all[name] = newFunction(bootstrap(name), environment(behind.URL, "")...)
	}
	front := httptest.NewServer(newGateway(all["users"].invoke, all["rides"].invoke, all["orchestrator"].invoke))
	t.Cleanup(front.Close)
	t.Cleanup(func() {
		for name, f := range all {
			if printed := f.end(); t.Failed() {
				t.Logf("%s printed:\n%.5000s", name, printed)
			}
		}
	})
	awaitReady(t, front.URL)
	apitest.Run(t, apitest.Target{URL: front.URL, ServiceToken: serviceToken, Auth: true})
	t.Run("many invocations", func(t *testing.T) { testMany(t, behind.URL, broker) })
}

func awaitReady(t *testing.T, url string) {
	t.Helper()
	deadline := time.Now().Add(time.Minute)
	for {
		resp, err := http.Get(url + "/readyz") //nolint:noctx // of this test's own server
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(resp.Body) // for a message only
		_ = resp.Body.Close()            // nothing is written to it
		if resp.StatusCode == http.StatusOK {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("GET /readyz: %d %s", resp.StatusCode, body)
		}
	}
}

// testMany invokes one process of each function many times in a row, and looks at its memory.
func testMany(t *testing.T, orchestrator, broker string) {
	const early, late, mostMB, mostGrowthMB = 200, 2000, 100, 16
	for name, r := range map[string]*http.Request{
		"users":        request("GET", "/api/v1/users", ""),
		"rides":        request("GET", "/api/v1/rides/count", ""),
		"orchestrator": request("POST", "/api/v1/db/read", `{"queries":[{"table":"users","count":true}]}`),
	} {
		t.Run(name, func(t *testing.T) {
			s := run(t, bootstrap(name), environment(orchestrator, broker)...)
			event := eventOf(t, r)
			var first, after int
			for n := range late {
				out, err := s.invoke(t.Context(), event)
				if err != nil {
					t.Fatalf("invocation %d: %v", n+1, err)
				}
				if a := answerOf(t, out); a.StatusCode != http.StatusOK {
					t.Fatalf("invocation %d: %+v", n+1, a)
				}
				if n+1 == early {
					first = load.ResidentMB(t, s.cmd.Process.Pid)
				}
			}
			after = load.ResidentMB(t, s.cmd.Process.Pid)
			t.Logf("resident after %d invocations: %d MB, after %d: %d MB", early, first, late, after)
			if after > mostMB || after-first > mostGrowthMB {
				t.Errorf("wanted are at most %d MB, and %d MB more than after %d", mostMB, mostGrowthMB, early)
			}
		})
	}
}

// testTermination: SIGTERM ends a function at once, and with it its connections, in good order.
func testTermination(t *testing.T, rabbitmq *dockertest.RabbitMQServer, vhost, broker string) {
	s := run(t, bootstrap("orchestrator"), environment("", broker)...)
	out, err := s.invoke(t.Context(), eventOf(t, request("GET", "/readyz", "")))
	if err != nil {
		t.Fatal(err)
	}
	if a := answerOf(t, out); a.StatusCode != http.StatusServiceUnavailable || !strings.Contains(a.Body, "nobody consumes") {
		t.Errorf("there is a broker without workers: %+v", a)
	}
	if n := connections(t, rabbitmq, vhost); n != 2 {
		t.Errorf("%d connections to the broker, want 2", n)
	}
	s.signal(t, syscall.SIGTERM)
	select {
	case <-s.ended:
	case <-time.After(10 * time.Second):
		t.Fatal("it does not end")
	}
	if s.err != nil {
		t.Errorf("it ends with %v\n%s", s.err, s.log.String())
	}
	if n := connections(t, rabbitmq, vhost); n != 0 {
		t.Errorf("%d connections to the broker are left", n)
	}
	lines := strings.Split(rabbitmq.Logs(t), "\n")
	for i, line := range lines {
		if strings.Contains(line, "'"+vhost+"'") && strings.Contains(line, "closing AMQP connection") &&
			strings.Contains(strings.Join(lines[i:min(i+2, len(lines))], " "), "unexpectedly") {
			t.Errorf("the broker says: %s", line)
		}
	}
}

// connections returns how many connections orchestrators have to a virtual host of the broker.
func connections(t *testing.T, rabbitmq *dockertest.RabbitMQServer, vhost string) int {
	t.Helper()
	n := 0
	for line := range strings.Lines(rabbitmq.Output(t, "rabbitmqctl", "--quiet", "list_connections", "--no-table-headers", "vhost", "client_properties")) {
		if strings.HasPrefix(line, vhost+"\t") && strings.Contains(line, `"orchestrator"`) {
			n++
		}
	}
	return n
}

// request is a request of whoever has the service token.
func request(method, path, body string, header ...string) *http.Request {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+serviceToken)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	return r
}

func eventOf(t *testing.T, r *http.Request) []byte {
	t.Helper()
	e, err := servetest.NewEvent(r)
	if err != nil {
		t.Fatal(err)
	}
	event, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	return event
}

func answerOf(t *testing.T, out []byte) (a servetest.Answer) {
	t.Helper()
	if err := json.Unmarshal(out, &a); err != nil {
		t.Fatalf("%s: %v", out, err)
	}
	return a
}
