package httpapi

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"
	"unicode/utf8"

	"rideshare/internal/db"
)

// ProblemType is the media type of error answers.
const ProblemType = "application/problem+json"

// Problem is an error answer, as in RFC 9457. It implements error, so that operations return it.
type Problem struct {
	Title  string  `json:"title" doc:"The status code in words" example:"Bad Request"`
	Status int     `json:"status" doc:"The status code" example:"400"`
	Detail string  `json:"detail,omitempty" doc:"What is wrong with this request" example:"username: is missing"`
	Errors []Fault `json:"errors,omitempty" nullable:"false" doc:"All that is wrong, where that is more than one thing"`

	Kind  db.Kind `json:"kind,omitempty" doc:"Which way a database request failed" enum:"invalid,duplicate,foreign_key,expectation,key_reused,position,unavailable,unknown"`
	Op    *int    `json:"op,omitempty" doc:"Index of the operation that failed, in a database write" example:"0"`
	Field string  `json:"field,omitempty" doc:"Where in the request it is wrong" example:"username"`

	header http.Header
}

// Fault is one of several things that are wrong with a request.
type Fault struct {
	Location string `json:"location,omitempty" doc:"Where it is" example:"body.username"`
	Message  string `json:"message" doc:"What is wrong" example:"expected string"`
}

// NewProblem returns a problem of that status.
func NewProblem(status int, format string, args ...any) *Problem {
	return &Problem{
		Title:  http.StatusText(status),
		Status: status,
		Detail: clip(fmt.Sprintf(format, args...)),
		header: http.Header{},
	}
}

// BadRequest returns a 400 that names the field that is wrong.
func BadRequest(field, format string, args ...any) *Problem {
	p := NewProblem(http.StatusBadRequest, "%s: %s", field, fmt.Sprintf(format, args...))
	p.Field = field
	return p
}

// Unauthorized returns a 401. The challenge is the value of WWW-Authenticate.
func Unauthorized(challenge, format string, args ...any) *Problem {
	p := NewProblem(http.StatusUnauthorized, format, args...)
	p.header.Set("WWW-Authenticate", challenge)
	return p
}

// Forbidden returns a 403.
func Forbidden(format string, args ...any) *Problem {
	return NewProblem(http.StatusForbidden, format, args...)
}

// TooManyRequests returns a 429 that asks the caller to wait.
func TooManyRequests(wait time.Duration, format string, args ...any) *Problem {
	p := NewProblem(http.StatusTooManyRequests, format, args...)
	p.header.Set("Retry-After", strconv.FormatInt(int64((wait+time.Second-1)/time.Second), 10))
	return p
}

// Error implements error.
func (p *Problem) Error() string { return fmt.Sprintf("%d: %s", p.Status, p.Detail) }

// GetStatus implements huma.StatusError.
func (p *Problem) GetStatus() int { return p.Status }

// GetHeaders implements huma.HeadersError.
func (p *Problem) GetHeaders() http.Header { return p.header }

// ContentType implements huma.ContentTypeFilter.
func (p *Problem) ContentType(string) string { return ProblemType }

// Write answers the request with the problem, for handlers that are not operations.
func (p *Problem) Write(w http.ResponseWriter) {
	for name, values := range p.header {
		w.Header()[name] = values
	}
	w.Header().Set("Content-Type", ProblemType)
	w.WriteHeader(p.Status)
	// An error means that the client is gone: there is nobody to tell.
	_ = json.NewEncoder(w).Encode(p)
}

// clip bounds what came from outside before it goes into an answer or a log.
func clip(s string) string {
	const most = 512
	if len(s) <= most {
		return s
	}
	cut := most
	for cut > 0 && !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut] + "..."
}
