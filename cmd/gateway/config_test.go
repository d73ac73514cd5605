package main

import (
	"testing"

	"rideshare/internal/config/configtest"
)

func TestConfigurationIsDocumented(t *testing.T) { configtest.Documented[Config](t, "gateway") }

func TestWrongConfigurations(t *testing.T) {
	configtest.Refused[Config](t, nil, []configtest.Fault{
		{Name: "RIDESHARE_ADDR", Value: "8080", Says: "it must be host:port or :port"},
		{Name: "RIDESHARE_USERS", Value: "users", Says: "it must be host:port"},
		{Name: "RIDESHARE_RIDES", Value: "rides:0", Says: "it must be host:port"},
		{Name: "RIDESHARE_ORCHESTRATOR", Value: "http://orchestrator", Says: "it must be host:port"},
		{Name: "RIDESHARE_TIMEOUT", Value: "10", Says: "it must be a duration such as 500ms"},
		{Name: "RIDESHARE_MAX_CONNECTIONS", Value: "0", Says: "it must be a whole number"},
	})
}
