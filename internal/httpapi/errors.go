package httpapi

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"rideshare/internal/bus"
	"rideshare/internal/db"
)

// UnknownOutcome is what the caller of a write is told when nobody knows whether it was done.
const UnknownOutcome = "outcome unknown, retry with the same Idempotency-Key"

var statusOf = map[db.Kind]int{
	db.Invalid:     http.StatusBadRequest,
	db.KeyReused:   http.StatusUnprocessableEntity,
	db.BadPosition: http.StatusBadRequest,
	db.Duplicate:   http.StatusConflict,
	db.ForeignKey:  http.StatusConflict,
	db.Expectation: http.StatusConflict,
	db.Unavailable: http.StatusServiceUnavailable,
	db.Unknown:     http.StatusGatewayTimeout,
}

// FromError returns what the caller gets for err. It is the only place where errors become HTTP.
// What it does not know is a 500 that tells nothing, and has to be logged.
func FromError(err error) *Problem {
	var p *Problem
	if errors.As(err, &p) {
		return p
	}
	var e *db.Error
	if errors.As(err, &e) && statusOf[e.Kind] != 0 {
		return fromDB(e, err)
	}
	switch {
	case brokerGone(err), errors.Is(err, bus.ErrFull):
		return retryLater(NewProblem(http.StatusServiceUnavailable, "nobody can serve the request now"), db.Unavailable)
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return retryLater(NewProblem(http.StatusServiceUnavailable, "the request took too long"), db.Unavailable)
	}
	return NewProblem(http.StatusInternalServerError, "internal error")
}

func fromDB(e *db.Error, err error) *Problem {
	status, detail := statusOf[e.Kind], e.Message
	if e.Field != "" && !strings.HasPrefix(detail, e.Field) {
		detail = e.Field + ": " + detail
	}
	if e.Kind == db.Unknown {
		detail = UnknownOutcome + ": " + detail
		// Nobody can serve it now, and yet it may have been published: the status says the one, the
		// kind and the detail say the other.
		if brokerGone(err) {
			status = http.StatusServiceUnavailable
		}
	}
	p := NewProblem(status, "%s", detail)
	p.Kind, p.Op, p.Field = e.Kind, e.Op, e.Field
	if status == http.StatusServiceUnavailable {
		return retryLater(p, e.Kind)
	}
	return p
}

func retryLater(p *Problem, kind db.Kind) *Problem {
	p.Kind = kind
	p.header.Set("Retry-After", "1")
	return p
}

func brokerGone(err error) bool {
	return errors.Is(err, bus.ErrUnavailable) || errors.Is(err, bus.ErrClosed)
}
