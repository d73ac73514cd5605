package dbclient

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"go.opentelemetry.io/otel/trace"

	"rideshare/internal/db"
	"rideshare/internal/httpapi"
	"rideshare/internal/tracing"
)

// again is an attempt that failed in a way that the next one need not.
type again struct {
	cause error
	sent  bool          // it may have been executed nevertheless
	after time.Duration // what the orchestrator asks to wait
}

// Error implements error.
func (a *again) Error() string { return a.cause.Error() }

// call posts the request until there is a final answer or ctx ends. The id and the digest are those of a
// write, and empty for a read.
func (c *Client) call(ctx context.Context, path, id, digest string, request, answer any) (err error) {
	ctx, span := tracing.Start(ctx, "POST "+path, trace.WithSpanKind(trace.SpanKindClient))
	defer func() { tracing.End(span, err) }()
	body, err := json.Marshal(request)
	if err != nil {
		return fmt.Errorf("dbclient: %s: %w", path, err)
	}
	var pause backoff
	sent := false
	for {
		err := c.attempt(ctx, path, id, digest, body, answer)
		var retry *again
		if !errors.As(err, &retry) {
			return err
		}
		// An earlier attempt that may have been executed stays one, whatever the later ones met.
		sent = sent || retry.sent
		if !pause.wait(ctx, retry.after) {
			e := db.Errorf(db.Unavailable, "the database cannot be reached")
			if id != "" && sent {
				e = db.Errorf(db.Unknown, "the database did not answer in time")
			}
			// The cause, which may name addresses, is for the log and not for the caller.
			return fmt.Errorf("%w (%w)", e, retry.cause)
		}
	}
}

// attempt posts the request once. The error is final unless it is an *again.
func (c *Client) attempt(ctx context.Context, path, id, digest string, body []byte, answer any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url+path, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("dbclient: %w", err)
	}
	req.Header.Set("Content-Type", "application/json")
	for name, value := range map[string]string{
		"Idempotency-Key":       id,
		httpapi.DigestHeader:    digest,
		httpapi.RequestIDHeader: httpapi.RequestID(ctx),
		tracing.Header:          tracing.Traceparent(ctx),
	} {
		if value != "" {
			req.Header.Set(name, value)
		}
	}
	c.authorize(req)
	resp, err := c.http.Do(req)
	if err != nil {
		return &again{cause: err, sent: !refused(err)}
	}
	defer func() { _ = resp.Body.Close() }() // nothing is written to it
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		return &again{cause: err, sent: true}
	}
	if resp.StatusCode != http.StatusOK {
		return failure(resp, data)
	}
	if err := db.Decode(data, answer); err != nil {
		return &again{cause: fmt.Errorf("the answer cannot be read: %w", err), sent: true}
	}
	return nil
}

func (c *Client) authorize(req *http.Request) {
	if token := c.token.Current(); token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
}

// failure turns an error answer back into the error that httpapi made it of.
func failure(resp *http.Response, data []byte) error {
	var p httpapi.Problem
	_ = json.Unmarshal(data, &p) // a gateway's page leaves it empty
	cause := fmt.Errorf("the orchestrator answered %d %s", resp.StatusCode, p.Detail)
	switch {
	case resp.StatusCode == http.StatusServiceUnavailable:
		// Only the orchestrator's own word is good for "nothing was done": a gateway answers 503
		// also when it gives up waiting.
		return &again{cause: cause, sent: p.Kind != db.Unavailable, after: retryAfter(resp)}
	case resp.StatusCode >= 500:
		return &again{cause: cause, sent: true}
	case p.Kind != "":
		return &db.Error{Kind: p.Kind, Op: p.Op, Field: p.Field, Message: strings.TrimPrefix(p.Detail, p.Field+": ")}
	default:
		return fmt.Errorf("dbclient: %w", cause)
	}
}

// refused reports whether the connection did not come about, so that nothing was sent.
func refused(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "dial"
}

func retryAfter(resp *http.Response) time.Duration {
	seconds, err := strconv.ParseUint(resp.Header.Get("Retry-After"), 10, 16)
	if err != nil {
		return 0
	}
	return time.Duration(seconds) * time.Second
}
