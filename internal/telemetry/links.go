package telemetry

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

type linkMetrics struct {
	connections *prometheus.GaugeVec
	connects    *prometheus.CounterVec
	session     *prometheus.GaugeVec
	sessions    *prometheus.CounterVec
}

func newLinkMetrics(factory promauto.Factory) linkMetrics {
	return linkMetrics{
		connections: factory.NewGaugeVec(prometheus.GaugeOpts{
			Name: "rideshare_amqp_connections", Help: "Open connections to the broker.",
		}, nil),
		connects: factory.NewCounterVec(prometheus.CounterOpts{
			Name: "rideshare_amqp_connects_total", Help: "Attempts to connect to the broker: after the start, each is for a connection that was lost.",
		}, []string{"outcome"}),
		session: factory.NewGaugeVec(prometheus.GaugeOpts{
			Name: "rideshare_zookeeper_session_up", Help: "1 while there is a session with ZooKeeper, as far as is known.",
		}, nil),
		sessions: factory.NewCounterVec(prometheus.CounterOpts{
			Name: "rideshare_zookeeper_connects_total", Help: "How often a session with ZooKeeper began, or went on after an interruption.",
		}, nil),
	}
}

// AMQP is what the connections to the broker tell: an amqp.Monitor.
type AMQP struct {
	open               prometheus.Gauge
	connected, refused prometheus.Counter
}

// AMQP returns the metrics of the connections to the broker.
func (m *Metrics) AMQP() AMQP {
	return AMQP{
		open:      m.links.connections.WithLabelValues(),
		connected: m.links.connects.WithLabelValues("ok"), refused: m.links.connects.WithLabelValues("failed"),
	}
}

// Connected implements amqp.Monitor.
func (a AMQP) Connected() { a.open.Inc(); a.connected.Inc() }

// Ended implements amqp.Monitor.
func (a AMQP) Ended() { a.open.Dec() }

// Failed implements amqp.Monitor.
func (a AMQP) Failed() { a.refused.Inc() }

// ZooKeeper returns what is told whether there is a session, when that changes.
func (m *Metrics) ZooKeeper() func(up bool) {
	session, sessions := m.links.session.WithLabelValues(), m.links.sessions.WithLabelValues()
	return func(up bool) {
		session.Set(truth(up))
		if up {
			sessions.Inc()
		}
	}
}
