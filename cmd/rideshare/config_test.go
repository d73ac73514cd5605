package main

import (
	"testing"

	"rideshare/internal/config/configtest"
)

func TestConfigurationIsDocumented(t *testing.T) {
	configtest.Documented[runConfig](t, "rideshare run")
}

func TestWrongConfigurations(t *testing.T) {
	configtest.Refused[runConfig](t, nil, []configtest.Fault{
		{Name: "RIDESHARE_ADDR", Value: "8080", Says: "it must be host:port or :port"},
		{Name: "RIDESHARE_AUTH", Value: "maybe", Says: "it must be on or off"},
		{Name: "RIDESHARE_AREAS", Value: "many", Says: "it must be a whole number from 2"},
		{Name: "RIDESHARE_TIMEZONE", Value: "Mars/Olympus", Says: "it must be a name of the IANA time zone database"},
		{Name: "RIDESHARE_SERVICE_TOKEN", Value: "sec\nret", Says: "not shown"},
		{Name: "RIDESHARE_SLAVES", Value: "6", Says: "it must be from 1 to RIDESHARE_MAX_SLAVES, which is 5"},
		{Name: "RIDESHARE_AUTOSCALE", Value: "perhaps", Says: "it must be true or false"},
		{Name: "RIDESHARE_MIN_SLAVES", Value: "0", Says: "it must be a whole number from 1"},
		{Name: "RIDESHARE_MAX_SLAVES", Value: "99999999999", Says: "it must be a whole number from 1 to 2147483647"},
		{Name: "RIDESHARE_SCALE_PERIOD", Value: "2", Says: "it must be a duration such as 500ms"},
		{Name: "RIDESHARE_SCALE_READS", Value: "0", Says: "it must be a whole number of at least 1"},
		{Name: "RIDESHARE_TIMEOUT", Value: "-1s", Says: "at least 1ms"},
		{Name: "OTEL_EXPORTER_OTLP_ENDPOINT", Value: "collector:4318", Says: "it must be a URL"},
		{Name: "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", Value: "grpc://collector", Says: "it must be a URL"},
		{Name: "OTEL_TRACES_EXPORTER", Value: "zipkin", Says: "it must be otlp or none"},
		{Name: "OTEL_SDK_DISABLED", Value: "perhaps", Says: "it must be true or false"},
	})
}
