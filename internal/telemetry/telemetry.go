// Package telemetry is what a process tells of itself to those who watch it: metrics in Prometheus'
// format, and spans to an OpenTelemetry collector. It is the only package that knows either of the
// two. The parts have a small interface each of what they tell; the types here fit them.
//
// Units are in the names: seconds, bytes, entries. A label has few values, none of which a caller
// can choose.
package telemetry

import (
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promauto"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Metrics are the metrics of one process. What a process has no part of, it does not show.
type Metrics struct {
	registry *prometheus.Registry

	requests *prometheus.HistogramVec
	underWay prometheus.Gauge
	calls    *prometheus.HistogramVec
	worker   workerMetrics
	watcher  watcherMetrics
	links    linkMetrics
}

// New returns metrics with those of the Go runtime and of the process.
func New(version string) *Metrics {
	r := prometheus.NewRegistry()
	r.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	factory := promauto.With(r)
	factory.NewGaugeVec(prometheus.GaugeOpts{
		Name: "rideshare_build_info", Help: "1, with the version of the program.",
	}, []string{"version"}).WithLabelValues(version).Set(1)
	return &Metrics{
		registry: r,
		requests: factory.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "rideshare_http_request_duration_seconds",
			Help:    "Time from a request's header to the end of its answer.",
			Buckets: latencies(),
		}, []string{"function", "method", "route", "code"}),
		underWay: factory.NewGauge(prometheus.GaugeOpts{
			Name: "rideshare_http_requests_under_way", Help: "Requests that came in and are not answered yet.",
		}),
		calls: factory.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "rideshare_bus_call_duration_seconds",
			Help:    "Time from the orchestrator's request to a queue to the reply, or to giving up.",
			Buckets: latencies(),
		}, []string{"queue", "outcome"}),
		worker:  newWorkerMetrics(factory),
		watcher: newWatcherMetrics(factory),
		links:   newLinkMetrics(factory),
	}
}

// latencies are buckets from 0.5 ms to 8 s: the timeout of a request is 10 s.
func latencies() []float64 { return prometheus.ExponentialBuckets(0.0005, 2, 15) }

// Handler serves the metrics.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}

// Count counts the requests that next has under way.
func (m *Metrics) Count(next http.Handler) http.Handler {
	return promhttp.InstrumentHandlerInFlight(m.underWay, next)
}

// HTTP returns what counts the requests of a function.
func (m *Metrics) HTTP(function string) func(method, route string, status int, took time.Duration) {
	requests := m.requests.MustCurryWith(prometheus.Labels{"function": function})
	return func(method, route string, status int, took time.Duration) {
		requests.WithLabelValues(method, route, strconv.Itoa(status)).Observe(took.Seconds())
	}
}

// Call counts a request of the orchestrator to a queue.
func (m *Metrics) Call(queue, outcome string, took time.Duration) {
	m.calls.WithLabelValues(queue, outcome).Observe(took.Seconds())
}

// Queues shows how many messages wait in each of the queues. Messages is asked at every scrape; it
// returns nothing while that is not known.
func (m *Metrics) Queues(messages func() map[string]int) {
	m.registry.MustRegister(queueCollector{messages})
}

type queueCollector struct{ messages func() map[string]int }

var queueMessages = prometheus.NewDesc("rideshare_queue_messages",
	"Messages that wait in a queue for somebody to take them.", []string{"queue"}, nil)

// Describe implements prometheus.Collector.
func (c queueCollector) Describe(out chan<- *prometheus.Desc) { out <- queueMessages }

// Collect implements prometheus.Collector.
func (c queueCollector) Collect(out chan<- prometheus.Metric) {
	for queue, n := range c.messages() {
		out <- prometheus.MustNewConstMetric(queueMessages, prometheus.GaugeValue, float64(n), queue)
	}
}
