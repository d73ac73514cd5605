// Package load is what tests and measurements put on a running system: clients that write and read
// with known keys, and notice every failure. It speaks HTTP, so it runs against any mode.
package load

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"

	"rideshare/internal/db"
)

// Target is a running system.
type Target struct {
	URL   string
	Token string // the service token, where somebody asks for it
	HTTP  *http.Client
	// Pause is how long a writer or reader thinks between its rounds. Without it they take all that
	// the processors have, and measure above all each other.
	Pause time.Duration
	// Persist is for how long a writer tries a ride again that was not created.
	Persist time.Duration
}

// NewTarget returns a target with room for that many connections.
func NewTarget(url, token string, connections int) *Target {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConns, transport.MaxIdleConnsPerHost = connections, connections
	return &Target{URL: url, Token: token, HTTP: &http.Client{Transport: transport, Timeout: time.Minute}}
}

// Answer is the answer to a request.
type Answer struct {
	Code  int
	Token string // Consistency-Token
	Body  []byte
}

// Position returns the position of the answer's Consistency-Token.
func (a Answer) Position() db.Position {
	p, _ := db.ParsePosition(a.Token) // the zero position where it is malformed, which covers nothing
	return p
}

// Call sends a request. Header pairs follow the body.
func (t *Target) Call(ctx context.Context, method, path string, body any, header ...string) (Answer, error) {
	var payload io.Reader
	if body != nil {
		data, err := json.Marshal(body)
		if err != nil {
			return Answer{}, err
		}
		payload = bytes.NewReader(data)
	}
	req, err := http.NewRequestWithContext(ctx, method, t.URL+"/api/v1"+path, payload)
	if err != nil {
		return Answer{}, err
	}
	if t.Token != "" {
		req.Header.Set("Authorization", "Bearer "+t.Token)
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := t.HTTP.Do(req)
	if err != nil {
		return Answer{}, err
	}
	defer resp.Body.Close() //nolint:errcheck // nothing is written to it
	data, err := io.ReadAll(resp.Body)
	return Answer{Code: resp.StatusCode, Token: resp.Header.Get("Consistency-Token"), Body: data}, err
}

// Must is Call, and an error unless the answer has that code.
func (t *Target) Must(ctx context.Context, code int, method, path string, body any, header ...string) (Answer, error) {
	a, err := t.Call(ctx, method, path, body, header...)
	if err == nil && a.Code != code {
		err = fmt.Errorf("%s %s: %d, want %d: %.300s", method, path, a.Code, code, a.Body)
	}
	return a, err
}

// Write sends a write to the database API.
func (t *Target) Write(ctx context.Context, ops ...db.Op) (db.WriteResult, error) {
	var result db.WriteResult
	a, err := t.Must(ctx, http.StatusOK, http.MethodPost, "/db/write", db.Write{Ops: ops})
	if err == nil {
		err = decode(a.Body, &result)
	}
	return result, err
}

// Read sends a read to the database API.
func (t *Target) Read(ctx context.Context, r db.Read) (db.ReadResult, error) {
	var result db.ReadResult
	a, err := t.Must(ctx, http.StatusOK, http.MethodPost, "/db/read", r)
	if err == nil {
		err = decode(a.Body, &result)
	}
	return result, err
}

// think waits for the pause between two rounds.
func (t *Target) think(ctx context.Context) {
	select {
	case <-time.After(t.Pause):
	case <-ctx.Done():
	}
}

// decode keeps numbers exact.
func decode(data []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	return d.Decode(into)
}
