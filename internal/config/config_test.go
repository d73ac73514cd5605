package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"rideshare/internal/config"
)

type example struct {
	Addr   string        `env:"EX_ADDR" envDefault:"127.0.0.1:8080"`
	Areas  int           `env:"EX_AREAS" envDefault:"198"`
	Wait   time.Duration `env:"EX_WAIT" envDefault:"10s"`
	Secret string        `env:"EX_SECRET"`
}

func TestLoad(t *testing.T) {
	file := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(file, []byte("from a file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name    string
		environ []string
		want    example
		fault   string
	}{
		{"defaults", nil, example{"127.0.0.1:8080", 198, 10 * time.Second, ""}, ""},
		{"set", []string{"EX_ADDR=:9", "EX_AREAS=3", "EX_WAIT=1m", "EX_SECRET=s"}, example{":9", 3, time.Minute, "s"}, ""},
		{"a secret from a file", []string{"EX_SECRET_FILE=" + file}, example{"127.0.0.1:8080", 198, 10 * time.Second, "from a file"}, ""},
		{"both", []string{"EX_SECRET=s", "EX_SECRET_FILE=" + file}, example{}, "EX_SECRET and EX_SECRET_FILE are both set"},
		{"no such file", []string{"EX_SECRET_FILE=/no/such"}, example{}, "EX_SECRET_FILE"},
		{"not a number", []string{"EX_AREAS=many"}, example{}, `EX_AREAS is "many": it must be a whole number`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := config.Load[example](test.environ)
			if test.fault != "" {
				if err == nil || !strings.Contains(err.Error(), test.fault) {
					t.Fatalf("error %v, want one with %q", err, test.fault)
				}
				return
			}
			if err != nil || got != test.want {
				t.Errorf("got %+v, %v; want %+v", got, err, test.want)
			}
		})
	}
}
