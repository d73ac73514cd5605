package boot

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"go.opentelemetry.io/otel/trace"

	"rideshare/internal/config"
	"rideshare/internal/config/configtest"
)

func TestConfigurationIsDocumented(t *testing.T) {
	configtest.Documented[Config](t, "every service")
	doc, err := os.ReadFile("../../../docs/configuration.md")
	if err != nil {
		t.Fatal(err)
	}
	programs, err := filepath.Glob("../../*/main.go")
	if err != nil || len(programs) < 6 {
		t.Fatal(programs, err)
	}
	for _, main := range programs {
		if program := filepath.Base(filepath.Dir(main)); !strings.Contains(string(doc), "\n<!-- begin "+program) {
			t.Errorf("docs/configuration.md has no section for %s", program)
		}
	}
}

// What compose's files take from the environment is documented, too.
func TestVariablesOfTheContainersAreDocumented(t *testing.T) {
	doc, err := os.ReadFile("../../../docs/configuration.md")
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("../../../docker-compose*.yml")
	if err != nil || len(files) < 3 {
		t.Fatal(files, err)
	}
	variable := regexp.MustCompile(`\$\{([A-Z_]+)`)
	for _, path := range files {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range variable.FindAllStringSubmatch(string(data), -1) {
			if !strings.Contains(string(doc), "`"+m[1]+"`") {
				t.Errorf("docs/configuration.md does not name %s, which %s reads", m[1], filepath.Base(path))
			}
		}
	}
}

func TestLogLines(t *testing.T) {
	var out bytes.Buffer
	c, err := config.Load[Config]([]string{"RIDESHARE_LOG_LEVEL=warn"})
	if err != nil {
		t.Fatal(err)
	}
	logger := c.logger(&out, "rides").With("a", 1)
	span := trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{0xab}, SpanID: trace.SpanID{0xcd}, TraceFlags: trace.FlagsSampled})
	logger.InfoContext(t.Context(), "not at this level")
	logger.WarnContext(trace.ContextWithSpanContext(context.Background(), span), "failed", "request", "r1")
	var line map[string]any
	if err := json.Unmarshal(out.Bytes(), &line); err != nil {
		t.Fatalf("%v: %s", err, &out)
	}
	for name, want := range map[string]any{
		"level": slog.LevelWarn.String(), "msg": "failed", "service": "rides", "a": 1.0, "request": "r1",
		"trace": "ab000000000000000000000000000000", "span": "cd00000000000000",
	} {
		if line[name] != want {
			t.Errorf("%s is %v, want %v", name, line[name], want)
		}
	}
	if c.On() {
		t.Error("there is tracing without a collector")
	}
}
