package oneprocess_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"

	"rideshare/oneprocess"
)

// entry is a request of docs/rideshare.http.
type entry struct {
	title, name  string
	method, path string
	header       [][2]string
	body         string
}

// collection reads docs/rideshare.http.
func collection(t *testing.T) []entry {
	t.Helper()
	data, err := os.ReadFile("../docs/rideshare.http")
	if err != nil {
		t.Fatal(err)
	}
	var entries []entry
	for _, part := range strings.Split(string(data), "\n### ")[1:] {
		head, body, _ := strings.Cut(part, "\n\n")
		lines := strings.Split(strings.TrimSpace(head), "\n")
		e := entry{title: lines[0], body: strings.TrimSpace(body)}
		lines = lines[1:]
		if name, ok := strings.CutPrefix(lines[0], "# @name "); ok {
			e.name, lines = name, lines[1:]
		}
		var ok bool
		e.method, e.path, ok = strings.Cut(lines[0], " {{url}}")
		if !ok {
			t.Fatalf("%s: %q is no request", e.title, lines[0])
		}
		for _, line := range lines[1:] {
			name, value, _ := strings.Cut(line, ": ")
			e.header = append(e.header, [2]string{name, value})
		}
		entries = append(entries, e)
	}
	return entries
}

// TestCollectionHasEveryOperation compares the collection with the document.
func TestCollectionHasEveryOperation(t *testing.T) {
	var document struct {
		Paths map[string]map[string]any
	}
	c := client(t, func(*oneprocess.Config) {})
	if err := json.Unmarshal([]byte(do(t, c, http.MethodGet, "/openapi.json", "", http.StatusOK)), &document); err != nil {
		t.Fatal(err)
	}
	entries := collection(t)
	found := make([]bool, len(entries))
	for template, methods := range document.Paths {
		pattern := regexp.MustCompile("^" + regexp.MustCompile(`\\\{\w+\\\}`).ReplaceAllString(regexp.QuoteMeta(template), `[^/]+`) + "$")
		for method := range methods {
			n := 0
			for i, e := range entries {
				path, _, _ := strings.Cut(e.path, "?")
				// A path that stands for itself goes before one with a parameter.
				if _, literal := document.Paths[path]; literal && path != template {
					continue
				}
				if strings.EqualFold(e.method, method) && pattern.MatchString(path) {
					n++
					found[i] = true
				}
			}
			if n == 0 {
				t.Errorf("docs/rideshare.http has no %s %s", strings.ToUpper(method), template)
			}
		}
	}
	for i, e := range entries {
		if !found[i] {
			t.Errorf("docs/rideshare.http: %s: the document has no %s %s", e.title, e.method, e.path)
		}
	}
}

// operator adds the service token to requests.
type operator struct {
	http.RoundTripper
	token string
}

// RoundTrip implements http.RoundTripper.
func (o operator) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+o.token)
	return o.RoundTripper.RoundTrip(r)
}

// TestCollectionRuns makes every request of the collection, from top to bottom.
func TestCollectionRuns(t *testing.T) {
	const token = "the-service-token"
	c := client(t, func(c *oneprocess.Config) { c.Auth, c.ServiceToken = "on", token })
	for _, worker := range []string{"p1.1", "p2.1", "p3.1"} { // a planned change of master needs slaves
		await(t, &http.Client{Transport: operator{c.Transport, token}}, `rideshare_worker_state{state="serving",worker="`+worker+`"} 1`)
	}
	values := map[string]string{"serviceToken": token}
	variable := regexp.MustCompile(`\{\{([^}]*)\}\}`)
	for _, e := range collection(t) {
		fill := func(s string) string {
			return variable.ReplaceAllStringFunc(s, func(v string) string {
				value, ok := values[v[2:len(v)-2]]
				if !ok {
					t.Errorf("%s: nothing has set %s", e.title, v)
				}
				return value
			})
		}
		req, err := http.NewRequestWithContext(t.Context(), e.method, "http://localhost"+fill(e.path), strings.NewReader(fill(e.body)))
		if err != nil {
			t.Fatal(err)
		}
		for _, h := range e.header {
			req.Header.Set(h[0], fill(h[1]))
		}
		resp, err := c.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		if strings.HasSuffix(e.path, "/events") { // what this client calls has no streams, as under Lambda
			if resp.StatusCode != http.StatusNotImplemented {
				t.Errorf("%s: %d", e.title, resp.StatusCode)
			}
			continue
		}
		if err != nil || resp.StatusCode >= http.StatusBadRequest {
			t.Fatalf("%s: %d %s, %v", e.title, resp.StatusCode, body, err)
		}
		var answer map[string]any
		d := json.NewDecoder(bytes.NewReader(body))
		d.UseNumber()
		if e.name != "" && d.Decode(&answer) != nil {
			t.Fatalf("%s: %s is not an object", e.title, body)
		}
		for field, value := range answer {
			values[e.name+".response.body."+field] = fmt.Sprint(value)
		}
	}
}
