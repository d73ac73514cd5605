package client

import (
	"errors"
	"fmt"
	"net/http"
)

// Error implements error.
func (p *Problem) Error() string {
	if p.Detail == "" {
		return fmt.Sprintf("%d %s", p.Status, p.Title)
	}
	return fmt.Sprintf("%d %s: %s", p.Status, p.Title, p.Detail)
}

// StatusOf returns the status code of the answer that err is, 0 where it is none.
func StatusOf(err error) int {
	var p *Problem
	if errors.As(err, &p) {
		return int(p.Status)
	}
	return 0
}

// Unanswered is a request that got no answer, or half of one.
type Unanswered struct {
	URL string
	// Sent says that it may have been executed.
	Sent  bool
	Cause error
}

// Error implements error.
func (u *Unanswered) Error() string { return fmt.Sprintf("no answer from %s: %s", u.URL, u.Cause) }

// Unwrap returns the cause.
func (u *Unanswered) Unwrap() error { return u.Cause }

// mayRetry reports whether the same request may be sent again after err: one that may be executed
// twice, or for which a key prevents that, after everything that can pass; any other only where it
// was not sent.
func mayRetry(err error, idempotent bool) bool {
	var u *Unanswered
	if errors.As(err, &u) {
		return idempotent || !u.Sent
	}
	switch StatusOf(err) {
	case http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout, http.StatusTooManyRequests:
		return idempotent
	}
	return false
}
