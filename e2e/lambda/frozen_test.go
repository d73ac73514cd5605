package lambda

import (
	"fmt"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"rideshare/internal/amqp/amqptest"
	"rideshare/internal/dockertest"
	"rideshare/internal/serve/servetest"
)

const (
	// freeze is how long processes stand still: three heartbeats. The broker has closed their
	// connections then, of which they learn nothing before they go on.
	freeze = 30 * time.Second
	// nap is long enough for a connection to count as dead, and too short for a missing heartbeat to
	// tell.
	nap = 22 * time.Second
)

// testFrozen stops processes for a while, as Lambda does with those that have nothing to do: two
// between two invocations, and two in the middle of one, which their time allows to go on or not.
// While they stand still, the writes that were begun are done, and the replies find nobody. One of
// the processes loses its connections and never hears of it: what it sends there goes nowhere.
func testFrozen(t *testing.T, rabbitmq *dockertest.RabbitMQServer, vhost, broker string) {
	plane, dir := newPlane(broker), t.TempDir()
	stop := plane.watch(t, dir)
	rabbit := amqptest.Broker{URL: broker, Container: rabbitmq.Container}
	proxy := amqptest.NewProxy(t, rabbit.Addr())
	newProcess := func(broker, timeout string) process {
		return process{run(t, bootstrap("orchestrator"), append(environment("", broker), "RIDESHARE_TIMEOUT="+timeout)...)}
	}
	between, unseen := newProcess(broker, "10s"), newProcess(rabbit.Via(proxy.Addr()), "7s")
	during, late := newProcess(broker, "90s"), newProcess(broker, "10s")
	all := []process{between, unseen, during, late}
	for _, p := range all {
		p.awaitReady(t)
	}
	between.want(t, "alice", `{"ops":[{"insert":"users","values":{"username":"alice","password_hash":"x"}}]}`, `{"results":[{"rows":1}]`)
	between.want(t, "before", ride(1), `{"results":[{"rows":1,"values":{"ride_id":1}}]`)

	stop() // so that the writes wait
	answers := map[string]chan servetest.Answer{"during": during.begin(t, "during", ride(2)), "late": late.begin(t, "late", ride(3))}
	eventually(t, "two writes wait", func() bool { return rabbit.Messages(t, "rideshare.writes") == 2 })
	for _, p := range all {
		p.signal(t, syscall.SIGSTOP)
	}
	defer proxy.Forget()()
	slept, frozen := time.After(nap), time.After(freeze)
	plane.watch(t, dir)

	<-slept
	unseen.signal(t, syscall.SIGCONT)
	unseen.want(t, "unseen", ride(5), `{"results":[{"rows":1`)
	unseen.kill()

	<-frozen
	eventually(t, "the broker has closed the connections", func() bool { return connections(t, rabbitmq, vhost) == 0 })
	for _, p := range []process{between, during, late} {
		p.signal(t, syscall.SIGCONT)
	}

	if a := <-answers["during"]; a.StatusCode != http.StatusOK || !strings.Contains(a.Body, `"rows":1`) {
		t.Errorf("frozen in the middle of an invocation, which goes on: %+v", a)
	}
	if a := <-answers["late"]; a.StatusCode != http.StatusGatewayTimeout || !strings.Contains(a.Body, "Idempotency-Key") {
		t.Errorf("frozen for longer than the request may take: %+v", a)
	}
	late.want(t, "late", ride(3), `{"results":[{"rows":1`)
	between.want(t, "between", ride(4), `{"results":[{"rows":1`)
	for area := 1; area <= 5; area++ {
		between.wantOne(t, area)
	}
}

// ride is the body of a write that adds a ride, one more each time it is done. The area tells it
// from others.
func ride(area int) string {
	return fmt.Sprintf(`{"ops":[{"insert":"rides","values":{"ride_id":{"$next":"rides"},"created_by":"alice",`+
		`"source":%d,"destination":9,"departs_at":"2099-01-01T00:00:00Z"}}]}`, area)
}

// process is a process of the orchestrator.
type process struct{ *sandbox }

// invoke invokes it with a request, which may take longer than the process stands still.
func (p process) invoke(t *testing.T, r *http.Request) servetest.Answer {
	t.Helper()
	out, err := p.invokeFor(t.Context(), 2*time.Minute, eventOf(t, r))
	if err != nil {
		t.Error(err)
		return servetest.Answer{}
	}
	return answerOf(t, out)
}

func (p process) awaitReady(t *testing.T) {
	t.Helper()
	eventually(t, "the function is ready", func() bool {
		return p.invoke(t, request("GET", "/readyz", "")).StatusCode == http.StatusOK
	})
}

func write(key, body string) *http.Request {
	return request("POST", "/api/v1/db/write", body, "Idempotency-Key", key)
}

// begin begins an invocation, whose answer comes out of the channel.
func (p process) begin(t *testing.T, key, body string) chan servetest.Answer {
	answer := make(chan servetest.Answer, 1)
	event, ended := eventOf(t, write(key, body)), make(chan struct{})
	t.Cleanup(func() {
		p.kill()
		<-ended
	})
	go func() {
		defer close(ended)
		out, err := p.invokeFor(t.Context(), 2*time.Minute, event)
		if err != nil {
			answer <- servetest.Answer{Body: err.Error()}
			return
		}
		answer <- answerOf(t, out)
	}()
	return answer
}

// want writes, and checks the beginning of the answer.
func (p process) want(t *testing.T, key, body, prefix string) {
	t.Helper()
	if a := p.invoke(t, write(key, body)); a.StatusCode != http.StatusOK || !strings.HasPrefix(a.Body, prefix) {
		t.Errorf("%s: %+v, want 200 %s", key, a, prefix)
	}
}

// wantOne checks that there is one ride from an area.
func (p process) wantOne(t *testing.T, area int) {
	t.Helper()
	a := p.invoke(t, request("POST", "/api/v1/db/read",
		fmt.Sprintf(`{"queries":[{"table":"rides","count":true,"where":[{"column":"source","op":"=","value":%d}]}],"consistency":"strong"}`, area)))
	if a.StatusCode != http.StatusOK || !strings.HasPrefix(a.Body, `{"results":[{"count":1}]`) {
		t.Errorf("rides from area %d: %+v, want one", area, a)
	}
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !ok(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within a minute: %s", what)
		}
	}
}
