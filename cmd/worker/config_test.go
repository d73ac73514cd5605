package main

import (
	"testing"

	"rideshare/internal/config/configtest"
)

func TestConfigurationIsDocumented(t *testing.T) { configtest.Documented[Config](t, "worker") }

func TestWrongConfigurations(t *testing.T) {
	configtest.Refused[Config](t, []string{
		"AMQP_URL=amqp://u:p@h/", "ZOOKEEPER_SERVERS=a:2181", "MYSQL_DSN=u:p@tcp(h:3306)/s", "RIDESHARE_WORKER_ID=p1.1",
		"RIDESHARE_PAIR=p1", "RIDESHARE_SNAPSHOT_TOKEN=t",
	}, []configtest.Fault{
		{Name: "RIDESHARE_WORKER_ID", Says: "not set"},
		{Name: "RIDESHARE_PAIR", Says: "not set"},
		{Name: "RIDESHARE_ADDR", Value: "7000", Says: "it must be host:port or :port"},
		{Name: "RIDESHARE_SNAPSHOT_TOKEN", Value: "sec\tret", Says: "not shown"},
		{Name: "AMQP_URL", Value: "http://u:secret@h/", Says: "not shown: it must be amqp://"},
		{Name: "AMQP_REPLICATED", Value: "3", Says: "it must be true or false"},
		{Name: "ZOOKEEPER_SERVERS", Value: "a", Says: "it must be host:port"},
		{Name: "ZOOKEEPER_AUTH", Value: "secret", Says: "not shown: it must be user:password"},
		{Name: "MYSQL_DSN", Value: "u:secret@h", Says: "not shown: it must be user:password@tcp(host:3306)/schema"},
		{Name: "MYSQL_DSN", Value: ":secret@tcp(h:1)/", Says: "not shown"},
	})
}
