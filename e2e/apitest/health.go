package apitest

import (
	"bufio"
	"bytes"
	"fmt"
	"mime"
	"regexp"
	"slices"
	"strings"
	"time"
)

// testHealth: what is open to everyone, and no part of the API.
func testHealth(s *suite) {
	s.cases(
		testCase{name: "healthz", request: get("/healthz"), status: 200},
		testCase{name: "readyz", request: get("/readyz"), status: 200},
		testCase{name: "metrics", request: operate("GET", "/metrics", nil), status: 200, check: wantMetrics},
		testCase{name: "openapi", request: get("/openapi.json"), status: 200, check: wantOpenAPI},
		testCase{name: "docs", request: get("/docs"), status: 200, check: func(s *suite, a answer) {
			content, _, _ := mime.ParseMediaType(a.header.Get("Content-Type"))
			if content != "text/html" || !bytes.Contains(bytes.ToLower(a.body), []byte("<html")) {
				s.t.Errorf("%v; Content-Type %s, want an HTML page", a, content)
			}
		}},
	)
}

var sample = regexp.MustCompile(`^[a-zA-Z_:][a-zA-Z0-9_:]*(\{.*\})? ([-+0-9.eE]+|[+-]Inf|NaN)( [0-9]+)?$`)

// wantMetrics checks the Prometheus text format.
func wantMetrics(s *suite, a answer) {
	content, _, _ := mime.ParseMediaType(a.header.Get("Content-Type"))
	if content != "text/plain" {
		s.t.Errorf("%v; Content-Type %s, want text/plain", a, content)
	}
	types, samples := 0, 0
	for lines := bufio.NewScanner(bytes.NewReader(a.body)); lines.Scan(); {
		switch line := lines.Text(); {
		case strings.HasPrefix(line, "# TYPE "):
			types++
		case line == "" || strings.HasPrefix(line, "#"):
		case sample.MatchString(line):
			samples++
		default:
			s.t.Errorf("GET /metrics: the line %q is no sample", line)
		}
	}
	if types == 0 || samples == 0 {
		s.t.Errorf("%v; want metrics, with their types", a)
	}
}

// pages are what is served beside the API: its document has nothing of them.
var pages = []string{"/metrics", "/docs", "/openapi.json", "/", "/app"}

// wantOpenAPI checks that the document is OpenAPI 3.1 and has every operation of the contract.
func wantOpenAPI(s *suite, a answer) {
	document := decode[struct {
		OpenAPI string
		Paths   map[string]map[string]any
	}](s, a)
	if !strings.HasPrefix(document.OpenAPI, "3.1.") {
		s.t.Errorf("GET /openapi.json: openapi %q, want 3.1.x", document.OpenAPI)
	}
	for _, r := range routes {
		if slices.Contains(pages, r.path) {
			continue
		}
		if document.Paths[r.path][strings.ToLower(r.method)] == nil {
			s.t.Errorf("GET /openapi.json: it has no %s %s", r.method, r.path)
		}
	}
}

// testReads: a read counts as one, and the health of the system as none.
func testReads(s *suite) {
	s.clear("alice")
	// Wait until a read is counted as one, so that none of before is counted late.
	s.eventually(func() string {
		if n := s.countRead(reads(s)); n != 1 {
			return fmt.Sprintf("one read is counted as %d", n)
		}
		return ""
	})
	// Each worker tells its own once a second, and another's may still come.
	before := reads(s)
	for quiet := time.Now(); time.Since(quiet) < 3*time.Second; time.Sleep(100 * time.Millisecond) {
		if now := reads(s); now != before {
			before, quiet = now, time.Now()
		}
	}
	for range 10 {
		for _, path := range []string{"/healthz", "/readyz", "/metrics", "/openapi.json", "/docs"} {
			s.must(operate("GET", path, nil), 200)
		}
	}
	if n := s.countRead(before); n != 1 {
		s.t.Errorf("50 calls of health and documents and one read: %d reads were counted, want 1", n)
	}
}

// countRead reads once, waits until it is counted, and returns how many more than before there are.
func (s *suite) countRead(before int) int {
	s.t.Helper()
	s.must(read(object{"table": "users"}), 200)
	s.eventually(func() string {
		if reads(s) == before {
			return "a read of the database was not counted"
		}
		return ""
	})
	return reads(s) - before
}

// reads is the number of reads that the workers have served.
func reads(s *suite) (sum int) {
	s.t.Helper()
	for _, w := range s.topology().Workers {
		sum += w.Reads
	}
	return sum
}
