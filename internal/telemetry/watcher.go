package telemetry

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

type watcherMetrics struct {
	leading, desired *prometheus.GaugeVec
	actions          *prometheus.CounterVec
	recoveries       *prometheus.HistogramVec
}

func newWatcherMetrics(factory promauto.Factory) watcherMetrics {
	return watcherMetrics{
		leading: factory.NewGaugeVec(prometheus.GaugeOpts{
			Name: "rideshare_watcher_leading", Help: "1 where this watcher leads, 0 where it stands by.",
		}, []string{"watcher"}),
		desired: factory.NewGaugeVec(prometheus.GaugeOpts{
			Name: "rideshare_cluster_desired_slaves", Help: "Slaves that there should be, as the leading watcher knows.",
		}, []string{"watcher"}),
		actions: factory.NewCounterVec(prometheus.CounterOpts{
			Name: "rideshare_watcher_actions_total", Help: "What the watcher has done.",
		}, []string{"watcher", "do", "outcome"}),
		recoveries: factory.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "rideshare_recovery_duration_seconds",
			Help:    "Time from noticing a death to a new master (failover), or to as many serving replicas as before (replacement).",
			Buckets: prometheus.ExponentialBuckets(0.0625, 2, 12), // 62 ms to 2 minutes
		}, []string{"watcher", "kind"}),
	}
}

// Watcher is what a watcher tells: a watcher.Metrics.
type Watcher struct {
	m  *watcherMetrics
	id string
}

// Watcher returns the metrics of a watcher.
func (m *Metrics) Watcher(id string) *Watcher {
	for _, kind := range []string{"failover", "replacement"} {
		m.watcher.recoveries.WithLabelValues(id, kind) // 0 is worth showing
	}
	return &Watcher{m: &m.watcher, id: id}
}

// Leading implements watcher.Metrics.
func (w *Watcher) Leading(leads bool) {
	w.m.leading.WithLabelValues(w.id).Set(truth(leads))
	if !leads {
		w.m.desired.DeleteLabelValues(w.id) // it would not hear of changes
	}
}

// Desired implements watcher.Metrics.
func (w *Watcher) Desired(slaves int) { w.m.desired.WithLabelValues(w.id).Set(float64(slaves)) }

// Acted implements watcher.Metrics.
func (w *Watcher) Acted(do string, err error) {
	outcome := "ok"
	if err != nil {
		outcome = "failed"
	}
	w.m.actions.WithLabelValues(w.id, do, outcome).Inc()
}

// Recovered implements watcher.Metrics.
func (w *Watcher) Recovered(kind string, took time.Duration) {
	w.m.recoveries.WithLabelValues(w.id, kind).Observe(took.Seconds())
}
