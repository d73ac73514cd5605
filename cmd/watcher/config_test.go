package main

import (
	"testing"

	"rideshare/internal/config/configtest"
)

func TestConfigurationIsDocumented(t *testing.T) { configtest.Documented[Config](t, "watcher") }

func TestWrongConfigurations(t *testing.T) {
	configtest.Refused[Config](t, []string{
		"AMQP_URL=amqp://u:p@h/", "RIDESHARE_WORKER_AMQP_URL=amqp://u:p@h/", "ZOOKEEPER_SERVERS=a:2181,b:2181", "ZOOKEEPER_AUTH=u:p",
		"RIDESHARE_PROJECT=p", "RIDESHARE_NETWORKS=n", "RIDESHARE_SNAPSHOT_TOKEN=t",
	}, []configtest.Fault{
		{Name: "RIDESHARE_ADDR", Value: "8080", Says: "it must be host:port or :port"},
		{Name: "AMQP_URL", Value: "http://u:secret@h/", Says: "not shown: it must be amqp://"},
		{Name: "AMQP_REPLICATED", Value: "3", Says: "it must be true or false"},
		{Name: "ZOOKEEPER_SERVERS", Value: "a:2181,b", Says: "it must be host:port"},
		{Name: "ZOOKEEPER_AUTH", Value: "secret", Says: "not shown: it must be user:password"},
		{Name: "ZOOKEEPER_EXCLUSIVE", Value: "mine", Says: "it must be true or false"},
		{Name: "DOCKER_HOST", Value: "/var/run/docker.sock", Says: "it must be a URL such as unix:///var/run/docker.sock"},
		{Name: "RIDESHARE_PROJECT", Says: "not set"},
		{Name: "RIDESHARE_NETWORKS", Says: "not set"},
		{Name: "RIDESHARE_WORKER_AMQP_URL", Value: "amqp://u:secret@h:x/", Says: "not shown: it must be amqp://"},
		{Name: "RIDESHARE_SNAPSHOT_TOKEN", Value: "sec\tret", Says: "not shown"},
		{Name: "RIDESHARE_DOCKER_EVENTS", Value: "perhaps", Says: "it must be true or false"},
		{Name: "RIDESHARE_SLAVES", Value: "0", Says: "it must be a whole number from 1"},
		{Name: "RIDESHARE_SLAVES", Value: "6", Says: "it must be from 1 to RIDESHARE_MAX_SLAVES, which is 5"},
		{Name: "RIDESHARE_AUTOSCALE", Value: "perhaps", Says: "it must be true or false"},
		{Name: "RIDESHARE_MIN_SLAVES", Value: "6", Says: "it must be from 1 to RIDESHARE_MAX_SLAVES, which is 5"},
		{Name: "RIDESHARE_MAX_SLAVES", Value: "many", Says: "it must be a whole number from 1"},
		{Name: "RIDESHARE_SCALE_PERIOD", Value: "2", Says: "it must be a duration such as 500ms"},
		{Name: "RIDESHARE_SCALE_READS", Value: "-5", Says: "it must be a whole number of at least 1"},
	})
}
