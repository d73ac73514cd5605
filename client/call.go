package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"mime"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/google/uuid"
)

// call is a request as its operation describes it.
type call struct {
	method, path string
	query        url.Values
	body         any
	key          bool // it takes an Idempotency-Key
	token        bool // it takes a Consistency-Token
	retry        bool // it may be sent again
}

type keyOf struct{}

// WithIdempotencyKey returns a context for one write, which is then executed at most once under this
// key within 24 hours: also by another client, or by this program when it is started again.
func WithIdempotencyKey(ctx context.Context, key string) context.Context {
	return context.WithValue(ctx, keyOf{}, key)
}

// set sets a parameter of a URL, one that is not required only where it is not zero.
func set[T int64 | string](v url.Values, name string, value T, required bool) {
	var zero T
	if required || value != zero {
		v.Set(name, fmt.Sprint(value))
	}
}

// do sends the call and decodes the answer into out, unless that is nil or there is none (204).
func (c *Client) do(ctx context.Context, k call, out any) error {
	return c.persist(ctx, k, func(ctx context.Context, key string, body []byte) (*http.Response, error) {
		ctx, cancel := context.WithTimeout(ctx, attemptTimeout)
		defer cancel()
		resp, err := c.send(ctx, k, key, body)
		if err != nil {
			return resp, err
		}
		data, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close() // it was read
		if err != nil {
			return resp, &Unanswered{URL: c.url, Sent: true, Cause: err}
		}
		if out == nil || resp.StatusCode == http.StatusNoContent {
			return resp, nil
		}
		d := json.NewDecoder(bytes.NewReader(data))
		d.UseNumber() // a float64 would round large numbers
		if err := d.Decode(out); err != nil {
			return resp, fmt.Errorf("%s does not answer as RideShare does: %w", c.url, err)
		}
		return resp, nil
	})
}

// stream sends the call and returns the body of the answer. What cuts that off is an error of the
// reader.
func (c *Client) stream(ctx context.Context, k call) (body io.ReadCloser, err error) {
	err = c.persist(ctx, k, func(ctx context.Context, key string, data []byte) (*http.Response, error) {
		resp, err := c.send(ctx, k, key, data)
		if err == nil {
			body = resp.Body
		}
		return resp, err
	})
	return body, err
}

// persist makes attempts until one succeeds or may not be repeated, or the patience is over.
func (c *Client) persist(ctx context.Context, k call, attempt func(context.Context, string, []byte) (*http.Response, error)) error {
	body, err := k.encode()
	if err != nil {
		return err
	}
	key, _ := ctx.Value(keyOf{}).(string)
	if k.key && key == "" {
		key = uuid.NewString() // for our own retries
	}
	over := time.Now().Add(c.patience)
	for pause := 20 * time.Millisecond; ; pause = min(2*pause, time.Second) {
		sent := c.newest.Load()
		resp, err := attempt(ctx, key, body) //nolint:bodyclose // the attempt has read and closed it, or hands it on
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return ended(ctx, err)
		}
		if k.token && sent != nil && rejected(err) && c.newest.CompareAndSwap(sent, nil) {
			continue // it is of a log that was lost, or of another system
		}
		wait := retryAfter(resp) + pause/2 + rand.N(pause/2)
		if !mayRetry(err, k.retry) || time.Now().Add(wait).After(over) {
			return err
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return ended(ctx, err)
		}
	}
}

// ended is the error of a call whose context has ended after an attempt with this error. A deadline
// is reached because something fails, and err says what; a caller who cancels knows why, and err is
// only what that has cut off.
func ended(ctx context.Context, err error) error {
	if errors.Is(ctx.Err(), context.Canceled) {
		return ctx.Err()
	}
	return errors.Join(ctx.Err(), err)
}

func (k call) encode() ([]byte, error) {
	if k.body == nil {
		return nil, nil
	}
	return json.Marshal(k.body)
}

// send sends the call once. The answer is a success, whose body the caller closes, or an error.
func (c *Client) send(ctx context.Context, k call, key string, body []byte) (*http.Response, error) {
	target := c.url + k.path
	if len(k.query) > 0 {
		target += "?" + k.query.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, k.method, target, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	if err := c.check(req, key); err != nil {
		return nil, err
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	if c.operator != "" {
		req.Header.Set("X-Operator", c.operator)
	}
	if k.key {
		req.Header.Set("Idempotency-Key", key)
	}
	if p := c.newest.Load(); k.token && p != nil {
		req.Header.Set(consistencyToken, p.text)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		var cause *url.Error // which says again what was asked, and where
		if errors.As(err, &cause) {
			err = cause.Err
		}
		return nil, &Unanswered{URL: c.url, Sent: !refused(err), Cause: err}
	}
	if resp.StatusCode/100 == 2 {
		c.see(parsePosition(resp.Header.Get(consistencyToken)))
		return resp, nil
	}
	defer resp.Body.Close() //nolint:errcheck // nothing is written to it
	return resp, problem(resp)
}

// check returns what keeps a request from being sent at all: net/http reports it as it reports a
// connection that fails.
func (c *Client) check(req *http.Request, key string) error {
	switch {
	case req.URL.Scheme != "http" && req.URL.Scheme != "https", req.URL.Host == "":
		return fmt.Errorf("the address %q must begin with http:// or https://, and name a host", c.url)
	case !ValidToken(c.token):
		return errors.New("the token has a line break or another control character")
	case strings.ContainsFunc(key, unicode.IsControl):
		return errors.New("the Idempotency-Key has a line break or another control character")
	}
	return nil
}

// ValidToken reports whether a token can be sent: no header can hold control characters.
func ValidToken(token string) bool { return !strings.ContainsFunc(token, unicode.IsControl) }

// problem reads an error answer. One that is no problem document is a gateway's.
func problem(resp *http.Response) error {
	p := &Problem{Status: int64(resp.StatusCode), Title: http.StatusText(resp.StatusCode)}
	const most = 64 << 10
	if kind, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type")); kind == "application/problem+json" {
		var read Problem
		if json.NewDecoder(io.LimitReader(resp.Body, most)).Decode(&read) == nil && read.Status == p.Status {
			p = &read
		}
	}
	return p
}

// rejected reports whether the answer is that the log does not reach the token.
func rejected(err error) bool {
	var p *Problem
	return errors.As(err, &p) && p.Status == http.StatusBadRequest && (p.Field == consistencyToken || p.Kind == "position")
}

// refused reports whether the connection did not come about, so that nothing was sent.
func refused(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "dial"
}

// retryAfter is what the answer asks to wait. A date, which HTTP allows, is not what we send.
func retryAfter(resp *http.Response) time.Duration {
	if resp == nil {
		return 0
	}
	seconds, err := strconv.ParseUint(resp.Header.Get("Retry-After"), 10, 16)
	if err != nil {
		return 0
	}
	return time.Duration(seconds) * time.Second
}
