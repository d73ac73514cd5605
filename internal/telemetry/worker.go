package telemetry

import (
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"rideshare/internal/bus"
	"rideshare/internal/cluster"
	"rideshare/internal/db"
	"rideshare/internal/registry"
)

// workerMetrics have the label worker, as one process may hold several.
type workerMetrics struct {
	role, state          *prometheus.GaugeVec
	epoch, position, lag *prometheus.GaugeVec
	wait                 *prometheus.HistogramVec
	batch, commit        *prometheus.HistogramVec
	reads                *prometheus.HistogramVec
	available, size      *prometheus.GaugeVec
	writable             *prometheus.GaugeVec
}

func newWorkerMetrics(factory promauto.Factory) workerMetrics {
	gauge := func(name, help string, labels ...string) *prometheus.GaugeVec {
		return factory.NewGaugeVec(prometheus.GaugeOpts{Name: name, Help: help}, append([]string{"worker"}, labels...))
	}
	histogram := func(name, help string, buckets []float64, labels ...string) *prometheus.HistogramVec {
		return factory.NewHistogramVec(prometheus.HistogramOpts{Name: name, Help: help, Buckets: buckets},
			append([]string{"worker"}, labels...))
	}
	return workerMetrics{
		role:     gauge("rideshare_worker_role", "1 for the role that the worker has, 0 for the others.", "role"),
		state:    gauge("rideshare_worker_state", "1 for the state that the worker is in, 0 for the others.", "state"),
		epoch:    gauge("rideshare_worker_epoch", "Epoch of the position that the worker's database is at."),
		position: gauge("rideshare_worker_position_entries", "Number of the last entry of the log that the worker's database has."),
		lag:      gauge("rideshare_worker_lag_entries", "Entries behind the most advanced worker, as far as the registry knows."),
		wait:     histogram("rideshare_queue_wait_seconds", "Time from publishing a request to its being taken from the queue.", latencies(), "queue"),
		batch: histogram("rideshare_write_batch_requests", "Writes that became one entry of the log.",
			prometheus.ExponentialBuckets(1, 2, 9)), // 1 to 256
		commit: histogram("rideshare_write_batch_duration_seconds", "Time to execute, log, read back and commit a batch of writes.", latencies()),
		reads:  histogram("rideshare_read_duration_seconds", "Time to answer a read, with waiting for the position it asks for.", latencies(), "level"),
		available: gauge("rideshare_database_disk_available_bytes",
			"Space left on the file system that holds the databases."),
		writable: gauge("rideshare_database_writable", "1 while the worker's database can write, 0 while it only reads."),
		size:     gauge("rideshare_database_disk_size_bytes", "Size of the file system that holds the databases."),
	}
}

// Worker is what one worker tells: a workers.Metrics.
type Worker struct {
	m    *workerMetrics
	id   string
	disk string
	// Found once: they are used for every request.
	waits         map[bus.Queue]prometheus.Observer
	reads         map[db.Consistency]prometheus.Observer
	batch, commit prometheus.Observer

	mu   sync.Mutex // guards the gauges of this worker
	gone bool
}

// Worker returns the metrics of a worker. Disk is a path on the file system that holds its database;
// empty where that is not known.
func (m *Metrics) Worker(id, disk string) *Worker {
	w := &Worker{
		m: &m.worker, id: id, disk: disk,
		waits: map[bus.Queue]prometheus.Observer{}, reads: map[db.Consistency]prometheus.Observer{},
		batch: m.worker.batch.WithLabelValues(id), commit: m.worker.commit.WithLabelValues(id),
	}
	for _, q := range []bus.Queue{bus.Writes, bus.Reads} {
		w.waits[q] = m.worker.wait.WithLabelValues(id, string(q))
	}
	for _, l := range []db.Consistency{db.Eventual, db.Session, db.Strong} {
		w.reads[l] = m.worker.reads.WithLabelValues(id, string(l))
	}
	return w
}

// Waited implements workers.Metrics.
func (w *Worker) Waited(q bus.Queue, d time.Duration) { w.waits[q].Observe(d.Seconds()) }

// Committed implements workers.Metrics.
func (w *Worker) Committed(writes int, took time.Duration) {
	w.batch.Observe(float64(writes))
	w.commit.Observe(took.Seconds())
}

// Answered implements workers.Metrics.
func (w *Worker) Answered(level db.Consistency, took time.Duration) {
	w.reads[level].Observe(took.Seconds())
}

// Status implements workers.Metrics.
func (w *Worker) Status(m registry.Member, lag uint64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.gone {
		return
	}
	for _, r := range []cluster.Role{cluster.Master, cluster.Slave} {
		w.m.role.WithLabelValues(w.id, string(r)).Set(truth(r == m.Role))
	}
	for _, s := range []cluster.State{cluster.Joining, cluster.Following, cluster.Serving, cluster.Unseeded, cluster.Deleted} {
		w.m.state.WithLabelValues(w.id, string(s)).Set(truth(s == m.State))
	}
	w.m.epoch.WithLabelValues(w.id).Set(float64(m.Position.Epoch))
	w.m.position.WithLabelValues(w.id).Set(float64(m.Position.Seq))
	w.m.lag.WithLabelValues(w.id).Set(float64(lag))
	w.m.writable.WithLabelValues(w.id).Set(truth(m.Writable()))
	if available, size, ok := disk(w.disk); ok {
		w.m.available.WithLabelValues(w.id).Set(available)
		w.m.size.WithLabelValues(w.id).Set(size)
	}
}

// Gone removes what a worker has told, and lets it tell nothing more. It is for a worker that ends
// before its process.
func (w *Worker) Gone() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.gone = true
	own := prometheus.Labels{"worker": w.id}
	for _, v := range []interface{ DeletePartialMatch(prometheus.Labels) int }{
		w.m.role, w.m.state, w.m.epoch, w.m.position, w.m.lag, w.m.wait, w.m.batch, w.m.commit, w.m.reads, w.m.available, w.m.size, w.m.writable,
	} {
		v.DeletePartialMatch(own)
	}
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
