package db_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rideshare/internal/db"
)

var update = flag.Bool("update", false, "write the golden files anew")

// TestGolden decodes each request in testdata, and compares what comes of it, in JSON, with the
// golden file beside it: the typed request, or the error that the caller is told.
func TestGolden(t *testing.T) {
	files, err := filepath.Glob("testdata/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no requests in testdata: %v", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			request, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var got any
			if strings.HasPrefix(filepath.Base(file), "read") {
				got, err = db.DecodeRead(request)
			} else {
				got, err = db.DecodeWrite(request)
			}
			if err != nil {
				var e *db.Error
				if !errors.As(err, &e) || e.Kind != db.Invalid {
					t.Fatalf("the error is no *db.Error of kind invalid: %v", err)
				}
				got = e
			}
			var out bytes.Buffer
			encoder := json.NewEncoder(&out)
			encoder.SetEscapeHTML(false)
			encoder.SetIndent("", "  ")
			if err := encoder.Encode(got); err != nil {
				t.Fatal(err)
			}
			compare(t, strings.TrimSuffix(file, ".json")+".golden", out.Bytes())
		})
	}
}

func compare(t *testing.T, golden string, got []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(golden, got, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(want, got) {
		t.Errorf("%s has\n%s\nwhat came is\n%s", golden, want, got)
	}
}

// FuzzDecode: whatever comes in is either refused with an Invalid error, or means the same after
// it was encoded and decoded once more.
func FuzzDecode(f *testing.F) {
	files, _ := filepath.Glob("testdata/*.json")
	for _, file := range files {
		if data, err := os.ReadFile(file); err == nil {
			f.Add(data)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if w, err := db.DecodeWrite(data); err == nil {
			again(t, w, db.DecodeWrite)
		} else if db.KindOf(err) != db.Invalid {
			t.Fatalf("write: %v", err)
		}
		if r, err := db.DecodeRead(data); err == nil {
			again(t, r, db.DecodeRead)
		} else if db.KindOf(err) != db.Invalid {
			t.Fatalf("read: %v", err)
		}
	})
}

func again[T any](t *testing.T, request T, decodeAgain func([]byte) (T, error)) {
	t.Helper()
	encoded, err := json.Marshal(request)
	if err != nil {
		t.Fatalf("%+v has no JSON form: %v", request, err)
	}
	second, err := decodeAgain(encoded)
	if err != nil {
		t.Fatalf("%s: %v", encoded, err)
	}
	reencoded, err := json.Marshal(second)
	if err != nil || !bytes.Equal(encoded, reencoded) {
		t.Fatalf("%s\nbecame\n%s (%v)", encoded, reencoded, err)
	}
}
