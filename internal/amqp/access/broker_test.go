package access_test

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	amqp091 "github.com/rabbitmq/amqp091-go"
	"go.uber.org/goleak"

	"rideshare/internal/amqp/access"
	"rideshare/internal/dockertest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	orchestrator = "orchestrator"
	worker       = "worker"
	watcher      = "watcher"

	amqpPort    = 5672
	metricsPort = 15692
	// patience is how long a test waits for what must come.
	patience = 40 * time.Second
)

// site is a broker that was started as the shipped one is, with the passwords of its users.
type site struct {
	*dockertest.RabbitMQServer
	passwords map[string]string
}

// TestUsers runs everything on one broker. The programs come first: they make the queues.
func TestUsers(t *testing.T) {
	s := start(t)
	t.Run("strangers", func(t *testing.T) { strangers(t, s) })
	p := programs(t, s)
	for _, user := range access.Programs() {
		t.Run("what is refused to the "+user, func(t *testing.T) { refusals(t, s, user, p.replyQueue) })
	}
	t.Run("the reply queue of another connection", func(t *testing.T) { foreignReplies(t, s, p.replyQueue) })
	t.Run("a reply of those who were not called", func(t *testing.T) { forgedReply(t, s, p) })
	t.Run("dead letters", func(t *testing.T) { deadLetters(t, s, p) })
	t.Run("metrics", func(t *testing.T) { metrics(t, s) })
}

func start(t *testing.T) site {
	s := site{passwords: map[string]string{}}
	for _, user := range access.Users() {
		s.passwords[user] = "password-of-" + user
	}
	definitions := filepath.Join(t.TempDir(), "definitions.json")
	if err := os.WriteFile(definitions, define(t, s.passwords, nil), 0o444); err != nil {
		t.Fatal(err)
	}
	conf, err := filepath.Abs("../../../deploy/rabbitmq.conf")
	if err != nil {
		t.Fatal(err)
	}
	s.RabbitMQServer = dockertest.RabbitMQ(t, func(o *dockertest.Options) {
		delete(o.Env, "RABBITMQ_DEFAULT_USER")
		delete(o.Env, "RABBITMQ_DEFAULT_PASS")
		o.Ports = append(o.Ports, metricsPort)
		o.Mounts = []string{
			definitions + ":/run/secrets/rabbitmq_definitions:ro",
			conf + ":/etc/rabbitmq/conf.d/90-rideshare.conf:ro",
		}
	})
	return s
}

func (s site) url(user, password string) string {
	return fmt.Sprintf("amqp://%s:%s@%s/", user, password, s.Addr(amqpPort))
}

// as connects as a user.
func (s site) as(t *testing.T, user string) *amqp091.Connection {
	t.Helper()
	conn, err := amqp091.Dial(s.url(user, s.passwords[user]))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// strangers are refused, and there is nobody whom nobody has named.
func strangers(t *testing.T, s site) {
	urls := []string{s.url("guest", "guest")}
	for _, user := range access.Users() {
		urls = append(urls, s.url(user, "wrong"))
	}
	for _, url := range urls {
		conn, err := amqp091.Dial(url)
		if err == nil {
			_ = conn.Close()
		}
		var refusal *amqp091.Error
		if !errors.As(err, &refusal) || refusal.Code != amqp091.AccessRefused {
			t.Errorf("%s: %v", url, err)
		}
	}
	var names []string
	for line := range strings.Lines(s.Output(t, "rabbitmqctl", "--quiet", "list_users", "--no-table-headers")) {
		names = append(names, strings.Fields(line)[0])
	}
	slices.Sort(names)
	if want := access.Users(); !slices.Equal(names, want) {
		t.Errorf("the broker has the users %v, want %v", names, want)
	}
}

// metrics are for one user, who can do nothing else.
func metrics(t *testing.T, s site) {
	for _, c := range []struct {
		user, password string
		want           int
	}{
		{"", "", http.StatusUnauthorized},
		{access.Metrics, "wrong", http.StatusUnauthorized},
		{worker, s.passwords[worker], http.StatusUnauthorized},
		{access.Metrics, s.passwords[access.Metrics], http.StatusOK},
	} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+s.Addr(metricsPort)+"/metrics", nil)
		if err != nil {
			t.Fatal(err)
		}
		if c.user != "" {
			r.SetBasicAuth(c.user, c.password)
		}
		answer, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = answer.Body.Close()
		if answer.StatusCode != c.want {
			t.Errorf("%q got %d, want %d", c.user, answer.StatusCode, c.want)
		}
	}
	if conn, err := amqp091.Dial(s.url(access.Metrics, s.passwords[access.Metrics])); err == nil {
		_ = conn.Close()
		t.Error("the user for metrics can connect by AMQP")
	}
}

// attempt does something on a channel of its own, and returns the code with which the broker has
// closed that channel; 0: it has not.
func attempt(t *testing.T, conn *amqp091.Connection, act func(*amqp091.Channel) error) int {
	t.Helper()
	ch, err := conn.Channel()
	if err != nil {
		t.Fatal(err)
	}
	closed := ch.NotifyClose(make(chan *amqp091.Error, 1))
	if act(ch) == nil && ch.Qos(1, 0, false) == nil { // a publish is refused some time later
		if err := ch.Close(); err != nil {
			t.Fatal(err)
		}
		return 0
	}
	select {
	case reason := <-closed:
		if reason != nil {
			return reason.Code
		}
	case <-time.After(patience):
	}
	t.Fatal("an operation failed, but its channel was not closed with a reason")
	return 0
}
