package telemetry_test

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"rideshare/internal/bus"
	"rideshare/internal/cluster"
	"rideshare/internal/config"
	"rideshare/internal/registry"
	"rideshare/internal/telemetry"
)

func scrape(m *telemetry.Metrics) string {
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	return w.Body.String()
}

func TestWorkerThatIsGoneTellsNothing(t *testing.T) {
	m := telemetry.New("1.2.3")
	w := m.Worker("p1.1", t.TempDir())
	tell := func() {
		w.Waited(bus.Writes, time.Millisecond)
		w.Committed(3, time.Millisecond)
		w.Status(registry.Member{Role: cluster.Master, State: cluster.Serving}, 4)
	}
	tell()
	before := scrape(m)
	for _, line := range []string{
		`rideshare_worker_role{role="master",worker="p1.1"} 1`, `rideshare_worker_role{role="slave",worker="p1.1"} 0`,
		`rideshare_worker_state{state="serving",worker="p1.1"} 1`, `rideshare_worker_lag_entries{worker="p1.1"} 4`,
		`rideshare_write_batch_requests_sum{worker="p1.1"} 3`, `rideshare_database_disk_size_bytes{worker="p1.1"} `,
		`rideshare_queue_wait_seconds_count{queue="writes",worker="p1.1"} 1`, `rideshare_build_info{version="1.2.3"} 1`,
	} {
		if !strings.Contains(before, "\n"+line) {
			t.Errorf("no line %s", line)
		}
	}
	w.Gone()
	tell() // its last goroutines
	if after := scrape(m); strings.Contains(after, "p1.1") {
		t.Errorf("it is gone, but there is\n%s", after)
	}
}

func TestConnections(t *testing.T) {
	m := telemetry.New("1.2.3")
	broker, session := m.AMQP(), m.ZooKeeper()
	broker.Failed()
	broker.Connected()
	broker.Connected()
	broker.Ended()
	session(true)
	session(false)
	got := scrape(m)
	for _, line := range []string{
		`rideshare_amqp_connections 1`, `rideshare_amqp_connects_total{outcome="ok"} 2`, `rideshare_amqp_connects_total{outcome="failed"} 1`,
		`rideshare_zookeeper_session_up 0`, `rideshare_zookeeper_connects_total 1`,
	} {
		if !strings.Contains(got, "\n"+line+"\n") {
			t.Errorf("no line %s", line)
		}
	}
}

// TestSpansAreSent runs a collector, and looks for what came.
func TestSpansAreSent(t *testing.T) {
	received := make(chan []byte, 1)
	collector := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil || r.URL.Path != "/v1/traces" || r.Header.Get("Content-Type") != "application/x-protobuf" {
			w.WriteHeader(http.StatusBadRequest)
		}
		received <- body
	}))
	defer collector.Close()
	c, err := config.Load[telemetry.TraceConfig]([]string{"OTEL_EXPORTER_OTLP_ENDPOINT=" + collector.URL})
	if err != nil {
		t.Fatal(err)
	}
	tracer, flush, err := c.Tracer(t.Context(), "rides", "1.2.3")
	if err != nil {
		t.Fatal(err)
	}
	_, span := tracer.Start(t.Context(), "a span of ours")
	span.End()
	if err := flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	body := <-received
	for _, want := range []string{"a span of ours", "service.name", "rides", "1.2.3"} {
		if !bytes.Contains(body, []byte(want)) {
			t.Errorf("nothing says %q", want)
		}
	}
}

func TestTracingIsOffUnlessACollectorIsNamed(t *testing.T) {
	for name, on := range map[string]bool{
		"": false, "OTEL_EXPORTER_OTLP_ENDPOINT=": false, "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=http://c:4318/v1/traces": true,
		"OTEL_EXPORTER_OTLP_ENDPOINT=http://c:4318":                           true,
		"OTEL_EXPORTER_OTLP_ENDPOINT=http://c:4318 OTEL_SDK_DISABLED=true":    false,
		"OTEL_EXPORTER_OTLP_ENDPOINT=http://c:4318 OTEL_TRACES_EXPORTER=none": false,
	} {
		c, err := config.Load[telemetry.TraceConfig](strings.Fields(name))
		if err != nil {
			t.Fatal(err)
		}
		if c.On() != on {
			t.Errorf("%q: on is %v", name, c.On())
		}
	}
	tracer, flush, err := telemetry.TraceConfig{}.Tracer(t.Context(), "rides", "1.2.3")
	if tracer != nil || err != nil || flush(t.Context()) != nil {
		t.Errorf("%v, %v", tracer, err)
	}
}
