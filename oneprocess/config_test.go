package oneprocess

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rideshare/internal/config"
)

func defaults(t *testing.T) Config {
	t.Helper()
	c, err := config.Load[Config](nil)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestDefaultsAreValid(t *testing.T) {
	if err := defaults(t).Check(); err != nil {
		t.Error(err)
	}
}

func TestCheckNamesTheVariable(t *testing.T) {
	tests := map[string]func(*Config){
		"RIDESHARE_AUTH":         func(c *Config) { c.Auth = "maybe" },
		"RIDESHARE_HOSTS":        func(c *Config) { c.Hosts = []string{"http://rides.example"} },
		"RIDESHARE_AREAS":        func(c *Config) { c.Areas = 1 },
		"RIDESHARE_TIMEZONE":     func(c *Config) { c.Timezone = "Mars/Olympus" },
		"RIDESHARE_SLAVES":       func(c *Config) { c.Slaves = 0 },
		"RIDESHARE_MAX_SLAVES":   func(c *Config) { c.MaxSlaves = 1 },
		"RIDESHARE_MIN_SLAVES":   func(c *Config) { c.MinSlaves = 0 },
		"RIDESHARE_SCALE_PERIOD": func(c *Config) { c.ScalePeriod = 0 },
		"RIDESHARE_TIMEOUT":      func(c *Config) { c.Timeout = -1 },
		"RIDESHARE_CORS_ORIGINS": func(c *Config) { c.CORSOrigins = "https://app.example/" },
	}
	for name, change := range tests {
		c := defaults(t)
		change(&c)
		if err := c.Check(); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Nobody is asked for a token by default only where nobody else can reach the address.
func TestAuthIsOffOnlyOnLoopback(t *testing.T) {
	tests := []struct {
		addr, auth string
		on         bool
	}{
		{"127.0.0.1:8080", "", false}, {"localhost:80", "", false}, {"[::1]:80", "", false},
		{":8080", "", true}, {"0.0.0.0:8080", "", true}, {"10.0.0.1:80", "", true}, {"example.org:80", "", true}, {"nonsense", "", true},
		{"127.0.0.1:8080", "on", true}, {"0.0.0.0:80", "off", false},
	}
	for _, test := range tests {
		if on := (Config{Addr: test.addr, Auth: test.auth}).AuthOn(); on != test.on {
			t.Errorf("%q with RIDESHARE_AUTH=%q: %v", test.addr, test.auth, on)
		}
	}
}

// A data folder that cannot be one is named together with the variable.
func TestTheDataFolderIsNamed(t *testing.T) {
	c := defaults(t)
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c.Data = range []string{file, filepath.Join(file, "below"), "/proc/rideshare"} {
		if _, err := New(c, "0.0.0-test", slog.New(slog.DiscardHandler)); err == nil || !strings.Contains(err.Error(), `RIDESHARE_DATA is "`+c.Data+`"`) {
			t.Errorf("%s: %v", c.Data, err)
		}
	}
}
