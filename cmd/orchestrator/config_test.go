package main

import (
	"testing"

	"rideshare/internal/config/configtest"
)

func TestConfigurationIsDocumented(t *testing.T) { configtest.Documented[Config](t, "orchestrator") }

func TestWrongConfigurations(t *testing.T) {
	configtest.Refused[Config](t, []string{"RIDESHARE_SERVICE_TOKEN=t", "AMQP_URL=amqp://u:p@h/"}, []configtest.Fault{
		{Name: "RIDESHARE_ADDR", Value: "8080", Says: "it must be host:port or :port"},
		{Name: "RIDESHARE_AUTH", Value: "maybe", Says: "it must be on or off"},
		{Name: "RIDESHARE_SERVICE_TOKEN", Value: "sec\tret", Says: "not shown"},
		{Name: "RIDESHARE_SERVICE_TOKEN", Says: "not set"},
		{Name: "RIDESHARE_TIMEOUT", Value: "0s", Says: "at least 1ms"},
		{Name: "AMQP_URL", Value: "http://u:secret@h/", Says: "not shown: it must be amqp://"},
		{Name: "AMQP_URL", Says: "not set"},
		{Name: "AMQP_REPLICATED", Value: "3", Says: "it must be true or false"},
		{Name: "RIDESHARE_IDLE_REDIAL", Value: "-1s", Says: "it must be a duration"},
	})
}
