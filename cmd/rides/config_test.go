package main

import (
	"testing"

	"rideshare/internal/config/configtest"
)

func TestConfigurationIsDocumented(t *testing.T) { configtest.Documented[Config](t, "rides") }
