package containers

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"rideshare/e2e/report"
	"rideshare/e2e/stack"
	"rideshare/internal/db"
)

const (
	honest   = 4                      // callers whose answers are timed
	politely = 20 * time.Millisecond  // between two requests of one of them
	lasting  = 6 * time.Second        // how long an attack goes on, and how long is measured without it
	noise    = 4 * time.Millisecond   // by which medians differ on a machine that others use
	attacks  = 8                      // attackers at a time, unless an attack needs more
	soon     = 5 * time.Second        // for an answer to what cannot become a request any more
	pace     = 100 * time.Millisecond // between two attempts of one attacker
)

// attack is something hostile that callers do again and again.
type attack struct {
	name      string
	attackers int // 0: attacks
	prepare   func(s *site)
	attempt   func(ctx context.Context, s *site) error // an error: the system answered as it should not
}

// TestAttacks attacks the system in containers. Honest callers are to notice little, and nothing may end.
func TestAttacks(t *testing.T) {
	s := start(t)
	table := report.Table{Columns: []string{"attack", "attempts", "median without", "median beside it"}}
	for _, a := range []attack{
		{name: "bodies that are no HTTP", attempt: malformed},
		{name: "bodies that break off", attempt: brokenOff},
		{name: "large bodies that break off", attempt: largeBrokenOff},
		{name: "connections that close at once", attempt: closedEarly},
		{name: "bodies that stop coming", attempt: stopped},
		{name: "large bodies that stop coming", attackers: 4, attempt: largeStopped},
		{name: "idle connections", attempt: idle},
		{name: "wrong passwords for one user", prepare: oneUser, attempt: wrongPassword},
		{name: "sign-ups", attempt: signUp},
		{name: "sign-ups under a name that exists", prepare: oneUser, attempt: signUpAgain},
		{name: "long lists", prepare: manyUsers, attempt: longList},
		{name: "sorts of a large table", attackers: 32, prepare: manyUsers, attempt: sorts},
		{name: "sorts of a large table with a small limit", attackers: 32, prepare: manyUsers, attempt: sortsFew},
		{name: "orders of 60,000 columns", attackers: 1, attempt: longOrder},
	} {
		t.Run(a.name, func(t *testing.T) {
			sub := s.of(t)
			if a.prepare != nil {
				a.prepare(sub)
			}
			before := sub.started(t)
			var attempts atomic.Int64
			sub.Within(3, func() error {
				quiet := sub.medianBeside(t, nil)
				attempts.Store(0)
				median := sub.medianBeside(t, func(ctx context.Context) { sub.attack(ctx, a, &attempts) })
				if attempts.Load() == 0 {
					t.Fatal("there was no attempt")
				}
				table.Add(a.name, attempts.Load(), quiet, median)
				if median > 2*quiet+noise {
					return fmt.Errorf("the median of honest callers is %v, and %v without the attack", median, quiet)
				}
				return nil
			})
			if after := sub.started(t); !slices.Equal(before, after) {
				t.Errorf("something has ended. Before:\n%s\nand after:\n%s", strings.Join(before, "\n"), strings.Join(after, "\n"))
			}
		})
	}
	t.Logf("\n%s", table.Markdown())
	publishAs(t, "attacks", "make attack", table)
}

// address is the gateway's published one.
func (s *site) address() string { return strings.TrimPrefix(s.Target.URL, "http://") }

// inner is the gateway's own address. Nothing of the engine's is in between.
func (s *site) inner() (string, error) {
	ip, err := stack.Address(s.Service("gateway"))
	return net.JoinHostPort(ip, "8080"), err
}

// started returns all containers with the times at which they began and ended.
func (s *site) started(t *testing.T) []string {
	t.Helper()
	ids := strings.Fields(s.must("docker", "ps", "-aq", "--filter", "label=com.docker.compose.project="+s.Project))
	lines, err := stack.Docker(append([]string{"inspect", "-f", "{{.Name}} {{.State.StartedAt}} {{.State.FinishedAt}} {{.RestartCount}}"}, ids...)...)
	if err != nil {
		t.Fatal(err)
	}
	all := strings.Split(lines, "\n")
	slices.Sort(all)
	return all
}

// medianBeside returns the median of the times that honest callers wait, beside an attack where there is one.
func (s *site) medianBeside(t *testing.T, attack func(context.Context)) time.Duration {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), lasting)
	defer stop()
	var callers sync.WaitGroup
	if attack != nil {
		callers.Go(func() { attack(ctx) })
	}
	var mu sync.Mutex
	var waits []time.Duration
	for i := range honest {
		callers.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				begun := time.Now()
				if err := s.honestly(ctx, i, n); err != nil && ctx.Err() == nil {
					t.Error(err)
				}
				took := time.Since(begun)
				mu.Lock()
				waits = append(waits, took)
				mu.Unlock()
				<-time.After(politely) // a pace, not a wait for something
			}
		})
	}
	callers.Wait()
	slices.Sort(waits)
	return waits[len(waits)/2]
}

// honestly does one of the requests that people's programs make.
func (s *site) honestly(ctx context.Context, caller, n int) error {
	name := fmt.Sprintf("honest-%d-%d", caller, n)
	var err error
	switch n % 3 {
	case 0:
		_, err = s.Target.Must(ctx, http.StatusOK, http.MethodGet, "/rides/count", nil)
	case 1:
		_, err = s.Target.Must(ctx, http.StatusOK, http.MethodPost, "/db/read", db.Read{Queries: []db.Query{{
			Table: "users", Where: []db.Condition{db.Where("username", db.Eq, name)},
		}}})
	default:
		_, err = s.Target.Write(ctx, db.Op{Insert: "users", Values: map[string]any{"username": name + time.Now().Format("150405.000000"), "password_hash": "none"}})
	}
	return err
}

// attack attempts an attack until ctx ends.
func (s *site) attack(ctx context.Context, a attack, attempts *atomic.Int64) {
	var attackers sync.WaitGroup
	n := a.attackers
	if n == 0 {
		n = attacks
	}
	for range n {
		attackers.Go(func() {
			for ctx.Err() == nil {
				attempts.Add(1)
				if err := a.attempt(ctx, s); err != nil && ctx.Err() == nil {
					s.Error(err)
				}
				<-time.After(pace) // a pace, not a wait for something
			}
		})
	}
	attackers.Wait()
}

// raw sends a text to the gateway and returns what comes back, until the connection ends. It is an error if the
// gateway neither answers nor ends the connection within the time.
func raw(s *site, text string, within time.Duration) (string, error) {
	conn, err := net.DialTimeout("tcp", s.address(), 5*time.Second)
	if err != nil {
		return "", err
	}
	defer conn.Close() //nolint:errcheck // the other side may have done so
	if _, err := io.WriteString(conn, text); err != nil {
		return "", nil // it need not read to the end
	}
	_ = conn.SetReadDeadline(time.Now().Add(within))
	answer, err := io.ReadAll(io.LimitReader(conn, 4096))
	if errors.Is(err, os.ErrDeadlineExceeded) && len(answer) == 0 {
		return "", fmt.Errorf("no answer after %v", within)
	}
	return string(answer), nil // it may have been reset
}

// head is the beginning of a request with a body.
func head(method, path, more string) string {
	return method + " /api/v1" + path + " HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n" + more + "\r\n"
}

// refusedOrClosed accepts what a gateway may answer to a request that is none.
func refusedOrClosed(answer string) error { return oneOf(answer, "400", "408", "411", "413") }

// oneOf accepts those status codes, and no answer.
func oneOf(answer string, codes ...string) error {
	line, _, _ := strings.Cut(answer, "\r\n")
	if fields := strings.Fields(line); len(fields) > 1 && !slices.Contains(codes, fields[1]) {
		return fmt.Errorf("the answer is %q", line)
	}
	return nil
}

func malformed(_ context.Context, s *site) error {
	for _, target := range [][2]string{{"POST", "/sessions"}, {"GET", "/rides/count"}, {"POST", "/rides"}, {"POST", "/db/read"}} {
		answer, err := raw(s, head(target[0], target[1], "Transfer-Encoding: chunked\r\n")+"zz\r\n", soon)
		if err == nil {
			err = refusedOrClosed(answer)
		}
		if err != nil {
			return fmt.Errorf("%s %s: %w", target[0], target[1], err)
		}
	}
	return nil
}

func brokenOff(_ context.Context, s *site) error {
	answer, err := raw(s, head("POST", "/users", "Transfer-Encoding: chunked\r\n")+"5\r\n{\"use\r\nzz\r\n", soon)
	if err != nil {
		return err
	}
	return refusedOrClosed(answer)
}

func largeBrokenOff(_ context.Context, s *site) error {
	answer, err := raw(s, head("POST", "/rides", "Transfer-Encoding: chunked\r\n")+"20000\r\n"+strings.Repeat(" ", 0x20000)+"\r\nzz\r\n", soon)
	if err != nil {
		return err
	}
	return refusedOrClosed(answer)
}

// closedEarly sends the beginning of a body and hangs up.
func closedEarly(_ context.Context, s *site) error {
	for _, body := range []int{1, 200_000} {
		conn, err := net.DialTimeout("tcp", s.address(), 5*time.Second)
		if err != nil {
			return err
		}
		_, _ = io.WriteString(conn, head("POST", "/users", "Content-Length: 900000\r\n")+strings.Repeat(" ", body)) // as it is refused, perhaps
		_ = conn.Close()
	}
	return nil
}

// stopped leaves a body unfinished, with the connection open, until the gateway gives it up.
func stopped(_ context.Context, s *site) error {
	answer, err := raw(s, head("POST", "/sessions", "Content-Length: 100\r\n")+"{", 30*time.Second)
	if err != nil {
		return err
	}
	return refusedOrClosed(answer)
}

// largeStopped leaves 32 large bodies unfinished, until the gateway gives them up or the attack ends.
func largeStopped(ctx context.Context, s *site) error {
	begun := head("POST", "/rides", "Content-Length: 1000000\r\n") + strings.Repeat(" ", 900_000)
	var bodies sync.WaitGroup
	faults := make(chan error, 32)
	for range cap(faults) {
		bodies.Go(func() {
			conn, err := net.DialTimeout("tcp", s.address(), 5*time.Second)
			if err != nil {
				faults <- err
				return
			}
			defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
			_, _ = io.WriteString(conn, begun) // as it is refused, perhaps
			_ = conn.SetReadDeadline(time.Now().Add(30 * time.Second))
			answer, _ := io.ReadAll(io.LimitReader(conn, 4096))
			_ = conn.Close()
			faults <- oneOf(string(answer), "408", "503")
		})
	}
	bodies.Wait()
	close(faults)
	for err := range faults {
		if err != nil {
			return err
		}
	}
	return nil
}

// idle opens connections on which nothing comes, more than the gateway keeps, and leaves them open.
func idle(ctx context.Context, s *site) error {
	const each = 500 // eight attackers: 4,000, where the gateway keeps 3,000
	address, err := s.inner()
	if err != nil {
		return err
	}
	for range each {
		conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
		if err != nil {
			return err
		}
		defer conn.Close() //nolint:errcheck // the gateway may have done so
	}
	<-ctx.Done()
	return nil
}

// oneUser signs a user up.
func oneUser(s *site) {
	if err := expect(s.Context(), s, http.MethodPut, "/users", account("victim"), http.StatusCreated, http.StatusBadRequest); err != nil {
		s.Fatal(err)
	}
}

func account(name string) map[string]string {
	return map[string]string{"username": name, "password": strings.Repeat("0123456789", 4)}
}

func wrongPassword(ctx context.Context, s *site) error {
	guess := account("victim")
	guess["password"] = strings.Repeat("9876543210", 4)
	return expect(ctx, s, http.MethodPost, "/sessions", guess, http.StatusUnauthorized, http.StatusTooManyRequests, http.StatusServiceUnavailable)
}

func signUp(ctx context.Context, s *site) error {
	name := fmt.Sprintf("attacker-%d", time.Now().UnixNano())
	return expect(ctx, s, http.MethodPut, "/users", account(name), http.StatusCreated, http.StatusTooManyRequests, http.StatusServiceUnavailable)
}

func signUpAgain(ctx context.Context, s *site) error {
	return expect(ctx, s, http.MethodPut, "/users", account("victim"), http.StatusBadRequest, http.StatusTooManyRequests, http.StatusServiceUnavailable)
}

func longList(ctx context.Context, s *site) error {
	return expect(ctx, s, http.MethodGet, "/users?limit=10000", nil, http.StatusOK, http.StatusServiceUnavailable)
}

// expect makes a request that gets one of these answers.
func expect(ctx context.Context, s *site, method, path string, body any, codes ...int) error {
	answer, err := s.Target.Call(ctx, method, path, body)
	if err == nil && !slices.Contains(codes, answer.Code) {
		err = fmt.Errorf("%s %s got %d: %.200s", method, path, answer.Code, answer.Body)
	}
	return err
}

// manyUsers makes a table too large for 16 sorts of it in 256 MiB.
func manyUsers(s *site) {
	const users, at = 42_000, 500
	padding := strings.Repeat("p", 200)
	last := db.Query{Table: "users", Count: true, Where: []db.Condition{db.Where("username", db.Eq, fmt.Sprintf("sorted-%06d", users-1))}}
	if there, err := s.Target.Read(s.Context(), db.Read{Queries: []db.Query{last}}); err == nil && *there.Results[0].Count == 1 {
		return
	}
	for first := 0; first < users; first += at {
		var ops []db.Op
		for i := range at {
			ops = append(ops, db.Op{Insert: "users", Values: map[string]any{
				"username": fmt.Sprintf("sorted-%06d", first+i), "password_hash": fmt.Sprintf("%06d%s", users-first-i, padding),
			}})
		}
		if _, err := s.Target.Write(s.Context(), ops...); err != nil {
			s.Fatal(err)
		}
	}
}

func sorts(ctx context.Context, s *site) error {
	return large(ctx, s, db.Query{Table: "users", OrderBy: byHash()})
}

func sortsFew(ctx context.Context, s *site) error {
	return large(ctx, s, db.Query{Table: "users", OrderBy: byHash(), Limit: 10})
}

func byHash() []db.Order { return []db.Order{{Column: "password_hash", Desc: true}} }

// large makes a read that the system may do, refuse as too large, or put off.
func large(ctx context.Context, s *site, q db.Query) error {
	return expect(ctx, s, http.MethodPost, "/db/read", db.Read{Queries: []db.Query{q}},
		http.StatusOK, http.StatusBadRequest, http.StatusServiceUnavailable)
}

// longOrders is the body of a read that is ordered by a column 60,000 times.
var longOrders = json.RawMessage(`{"queries":[{"table":"users","order_by":["username"` + strings.Repeat(`,"username"`, 59_999) + `]}]}`)

func longOrder(ctx context.Context, s *site) error {
	return expect(ctx, s, http.MethodPost, "/db/read", longOrders, http.StatusBadRequest)
}
