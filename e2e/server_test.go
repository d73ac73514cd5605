package e2e_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"rideshare/internal/openapitest"
)

// TestServerAnswers sends what the server or the middleware answers before any operation is reached.
// The document lists each of these answers for every operation.
func TestServerAnswers(t *testing.T) {
	t.Parallel()
	target := start(t, "off")
	address := strings.TrimPrefix(target.URL, "http://")
	document := documentOf(t, target.URL)
	for name, c := range map[string]struct {
		header string
		body   string
		status int
	}{
		"an expectation that is not known": {"Expect: tea", "", 417},
		"a header of 80 KiB":               {"X-Long: " + strings.Repeat("a", 80<<10), "", 431},
		"a body that does not arrive":      {"Content-Length: 2", "{", 408},
		"a body that is announced as huge": {"Content-Length: 10000000", "", 413},
		"chunks that are none":             {"Transfer-Encoding: chunked", "tea\r\n", 400},
		"a token that is none":             {"Consistency-Token: tea", "", 400},
	} {
		operations := []string{"PUT /api/v1/users", "DELETE /api/v1/users/alice", "GET /api/v1/rides/7", "POST /api/v1/db/clear"}
		if c.status == http.StatusRequestTimeout {
			operations = operations[:2] // each takes 10 s
		}
		for _, operation := range operations {
			t.Run(name+"/"+operation, func(t *testing.T) {
				t.Parallel()
				method, path, _ := strings.Cut(operation, " ")
				resp, body := exchange(t, address, fmt.Sprintf("%s %s HTTP/1.1\r\nHost: localhost\r\n%s\r\n\r\n%s", method, path, c.header, c.body))
				if resp.StatusCode != c.status {
					t.Errorf("%s, want %d; body %s", resp.Status, c.status, body)
				}
				if err := document.CheckAnswer(method, path, resp.StatusCode, resp.Header, body); err != nil {
					t.Error(err)
				}
			})
		}
	}
	// The description of the document tells of these.
	for name, c := range map[string]struct {
		request string
		status  int
	}{
		"not HTTP":                     {"tea\r\n\r\n", 400},
		"no host":                      {"GET /healthz HTTP/1.1\r\n\r\n", 400},
		"an encoding that is not HTTP": {"PUT /api/v1/users HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: gzip\r\n\r\n", 501},
		"another version":              {"GET /healthz HTTP/3.0\r\nHost: localhost\r\n\r\n", 505},
	} {
		resp, body := exchange(t, address, c.request)
		mediaType := resp.Header.Get("Content-Type")
		if resp.StatusCode != c.status || !strings.HasPrefix(mediaType, "text/plain") || !resp.Close {
			t.Errorf("%s: %s of %q, closed: %t; body %s", name, resp.Status, mediaType, resp.Close, body)
		}
	}
}

// documentOf returns the document that a system serves.
func documentOf(t *testing.T, url string) *openapitest.Document {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Get(url + "/openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close() //nolint:errcheck // nothing is written to it
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	document, err := openapitest.Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	return document
}

// exchange sends bytes on a connection of their own, and returns the answer and its body.
func exchange(t *testing.T, address, request string) (*http.Response, []byte) {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close() //nolint:errcheck // the server may have done so before
	if err := conn.SetDeadline(time.Now().Add(30 * time.Second)); err != nil {
		t.Fatal(err)
	}
	// The server may answer and close before it has read everything.
	_, _ = io.WriteString(conn, request)
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close() //nolint:errcheck // nothing is written to it
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, body
}
