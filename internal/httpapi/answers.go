package httpapi

import (
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"rideshare/internal/consistency"
)

// Answers are the status codes of an operation and what each of them means.
type Answers map[int]string

// Meanings of answers that many operations share.
const (
	MeansUnavailable = "Nobody can serve it now. Retry after the given number of seconds, a write with the same Idempotency-Key"
	MeansUnknown     = "The outcome is unknown. Retry with the same Idempotency-Key to learn it"
)

// commonAnswers are those that do not depend on what an operation does: they come from the middleware,
// or from the server before it. The document has each of them once, in its components.
func commonAnswers() Answers {
	return Answers{
		http.StatusBadRequest:                  "The request is malformed",
		http.StatusUnauthorized:                "The token is missing, wrong or expired, or its account has ended it",
		http.StatusForbidden:                   "The request comes from a page of another site or, where nobody is asked for a token, its Host is none of the server's own",
		http.StatusNotFound:                    "There is nothing at this path",
		http.StatusMethodNotAllowed:            "The path does not have this method. Allow lists those that it has",
		http.StatusRequestTimeout:              fmt.Sprintf("The body did not arrive within %d s", bodyTimeout/time.Second),
		http.StatusRequestEntityTooLarge:       fmt.Sprintf("The body is larger than %d MiB", MaxBody>>20),
		http.StatusUnsupportedMediaType:        "The body has a Content-Encoding other than identity",
		http.StatusUnprocessableEntity:         "The Idempotency-Key was used for a request with another body; nothing was done",
		http.StatusExpectationFailed:           "The request expects something other than 100-continue. The answer has no body",
		http.StatusRequestHeaderFieldsTooLarge: "The header is larger than 64 KiB. The answer is plain text",
		http.StatusInternalServerError:         "The system has a fault, which it logs. Under Lambda also: the answer would be larger than 6 MB",
	}
}

// commonTo returns which of the common answers an operation with the input I may give.
func commonTo[I any](op huma.Operation) []int {
	statuses := []int{
		http.StatusBadRequest, http.StatusForbidden, http.StatusRequestTimeout, http.StatusRequestEntityTooLarge,
		http.StatusUnsupportedMediaType, http.StatusExpectationFailed, http.StatusRequestHeaderFieldsTooLarge, http.StatusInternalServerError,
	}
	if len(op.Security) > 0 {
		statuses = append(statuses, http.StatusUnauthorized)
	}
	if _, ok := reflect.TypeFor[I]().FieldByName("Idempotency"); ok {
		statuses = append(statuses, http.StatusUnprocessableEntity)
	}
	return statuses
}

// responses returns the documented answers of an operation: its own, and the common ones.
func (a *API) responses(own Answers, common []int) map[string]*huma.Response {
	out := map[string]*huma.Response{}
	for _, status := range common {
		out[strconv.Itoa(status)] = &huma.Response{Ref: "#/components/responses/" + strconv.Itoa(status)}
	}
	for status, meaning := range own {
		// A bad request is described by the operation alone; what else is common has another cause.
		if status != http.StatusBadRequest && slices.Contains(common, status) {
			also := commonAnswers()[status]
			meaning += "; or " + strings.ToLower(also[:1]) + also[1:]
		}
		out[strconv.Itoa(status)] = a.response(status, meaning)
	}
	return out
}

// response documents an answer.
func (a *API) response(status int, meaning string) *huma.Response {
	r := &huma.Response{Description: meaning}
	switch status {
	case http.StatusExpectationFailed: // the server's own answers, before the API
		return r
	case http.StatusRequestHeaderFieldsTooLarge:
		r.Content = map[string]*huma.MediaType{"text/plain": {Schema: &huma.Schema{Type: huma.TypeString}}}
		return r
	}
	r.Headers = map[string]*huma.Param{
		consistency.Header: header("string", "The newest position that is known here: send it back on a read to see at least that", "3.1024"),
	}
	if status >= http.StatusBadRequest {
		problem := a.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[Problem](), true, "Problem")
		r.Content = map[string]*huma.MediaType{ProblemType: {Schema: problem}}
	}
	switch status {
	case http.StatusServiceUnavailable, http.StatusTooManyRequests:
		r.Headers["Retry-After"] = header("integer", "Seconds to wait", 1)
	case http.StatusUnauthorized:
		r.Headers["WWW-Authenticate"] = header("string", "How to authenticate", `Bearer realm="rideshare"`)
	case http.StatusUnsupportedMediaType:
		r.Headers["Accept-Encoding"] = header("string", "The content codings that are accepted", "identity")
	case http.StatusMethodNotAllowed:
		r.Headers["Allow"] = header("string", "The methods of the path", "GET, HEAD")
	}
	return r
}

func header(typ, description string, example any) *huma.Param {
	return &huma.Param{Description: description, Schema: &huma.Schema{Type: typ, Examples: []any{example}}}
}
