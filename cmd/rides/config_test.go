package main

import (
	"testing"

	"rideshare/internal/config/configtest"
)

func TestConfigurationIsDocumented(t *testing.T) { configtest.Documented[Config](t, "rides") }

func TestWrongConfigurations(t *testing.T) {
	configtest.Refused[Config](t, []string{"RIDESHARE_DATABASE_TOKEN=t", "RIDESHARE_TOKEN_KEY=k"}, []configtest.Fault{
		{Name: "RIDESHARE_ADDR", Value: "8080", Says: "it must be host:port or :port"},
		{Name: "RIDESHARE_AUTH", Value: "maybe", Says: "it must be on or off"},
		{Name: "RIDESHARE_DATABASE_TOKEN", Value: "sec\tret", Says: "not shown"},
		{Name: "RIDESHARE_DATABASE_TOKEN", Says: "not set"},
		{Name: "RIDESHARE_TOKEN_KEY", Says: "not set"},
		{Name: "RIDESHARE_TIMEOUT", Value: "0s", Says: "at least 1ms"},
		{Name: "ORCHESTRATOR_URL", Value: "orchestrator:8080", Says: "it must be a URL"},
		{Name: "RIDESHARE_AREAS", Value: "1", Says: "it must be a whole number from 2"},
		{Name: "RIDESHARE_TIMEZONE", Value: "Mars/Olympus", Says: "it must be a name of the IANA time zone database"},
	})
}
