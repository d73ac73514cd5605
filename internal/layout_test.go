package internal_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// sdks says which one package imports each vendor's library.
var sdks = map[string][]string{
	"github.com/rabbitmq/amqp091-go":             {"internal/amqp", "internal/bus/rabbitmq", "internal/replog/rabbitmq"},
	"github.com/go-zookeeper/zk":                 {"internal/registry/zookeeper"},
	"github.com/docker/docker":                   {"internal/pairs/docker"},
	"github.com/go-sql-driver/mysql":             {"internal/store/mysql", "bench/plain"},
	"modernc.org/sqlite":                         {"internal/store/sqlite"},
	"github.com/aws/aws-lambda-go":               {"internal/serve"},
	"github.com/awslabs/aws-lambda-go-api-proxy": {"internal/serve"},
	"github.com/danielgtaylor/huma/v2":           {"internal/httpapi", "functions"},
	"github.com/go-json-experiment/json":         {"internal/db", "internal/httpapi"},
	"github.com/golang-jwt/jwt/v5":               {"internal/auth"},
	"github.com/caarlos0/env/v11":                {"internal/config"},
	"github.com/spf13/cobra":                     {"cmd/rideshare"},
	"github.com/prometheus/client_golang":        {"internal/telemetry"},
	"go.opentelemetry.io/otel/sdk":               {"internal/telemetry"},
	"go.opentelemetry.io/otel/exporters":         {"internal/telemetry"},
	"github.com/santhosh-tekuri/jsonschema/v6":   {"internal/openapitest"},
}

// layers are the folders in the order of the import direction: what stands in a later layer may
// import what stands in an earlier one, never the reverse. A folder not named here belongs to the
// parts, the first layer.
var layers = [][]string{
	{"internal"},
	{"functions", "gateway", "workers", "watcher", "internal/dbclient", "internal/httpapi", "internal/auth", "internal/consistency", "internal/username"},
	{"internal/serve"},
	{"oneprocess"},
	{"cmd", "deploy", "e2e", "bench", "client"},
}

func layerOf(dir string) int {
	best, length := 0, -1
	for i, folders := range layers {
		for _, folder := range folders {
			if within(dir, folder) && len(folder) > length {
				best, length = i, len(folder)
			}
		}
	}
	return best
}

func within(dir, folder string) bool { return dir == folder || strings.HasPrefix(dir, folder+"/") }

// TestImportDirection reads every import of the module's Go files.
func TestImportDirection(t *testing.T) {
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	files := 0
	err = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) != ".go" || strings.Contains(path, "/testdata/") {
			return err
		}
		files++
		dir, err := filepath.Rel(root, filepath.Dir(path))
		if err != nil {
			return err
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		for _, i := range parsed.Imports {
			name, err := strconv.Unquote(i.Path.Value)
			if err != nil {
				return err
			}
			checkImport(t, dir, strings.HasSuffix(path, "_test.go"), name)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if files < 50 {
		t.Errorf("only %d files were read", files)
	}
}

func checkImport(t *testing.T, dir string, test bool, name string) {
	t.Helper()
	for sdk, importers := range sdks {
		allowed := slices.ContainsFunc(importers, func(folder string) bool { return within(dir, folder) })
		if within(name, sdk) && !allowed && !test {
			t.Errorf("%s imports %s: only %v may", dir, name, importers)
		}
	}
	ours, ok := strings.CutPrefix(name, "rideshare/")
	if !ok || test {
		return // tests may put anything together
	}
	if layerOf(ours) > layerOf(dir) {
		t.Errorf("%s imports %s, which stands above it", dir, ours)
	}
	// Of the parts nobody but those who put the system together knows an implementation.
	for _, part := range []string{"bus", "registry", "replog", "store", "pairs"} {
		implementation := within(ours, "internal/"+part) && ours != "internal/"+part
		if implementation && !within(dir, "internal/"+part) && !within(dir, "oneprocess") && !within(dir, "cmd") && !within(dir, "e2e") && !within(dir, "bench") {
			t.Errorf("%s imports %s: only oneprocess and cmd choose an implementation", dir, ours)
		}
	}
}

func TestEveryFolderExists(t *testing.T) {
	for _, folders := range layers[1:4] {
		for _, folder := range folders {
			if _, err := os.Stat(filepath.Join("..", folder)); err != nil {
				t.Error(err)
			}
		}
	}
}
