package httpapi

import (
	"net/http"
	"net/url"
	"strings"

	"rideshare/internal/consistency"
)

// onceHeaders are headers that have one value. If there are two, a proxy may read the last one, where
// net/http reads the first.
var onceHeaders = [...]string{"Authorization", consistency.Header, idempotencyKey, DigestHeader}

// strict refuses requests that can be read in more than one way: a query parameter or header that
// appears twice, and a malformed query, whose bad parameters net/url would drop. It also refuses
// encoded bodies, since no operation decodes them.
func strict(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for _, refusal := range []func(*http.Request) *Problem{ambiguousHeader, ambiguousQuery, encodedBody} {
			if p := refusal(r); p != nil {
				p.Write(w)
				return
			}
		}
		next.ServeHTTP(w, r)
	})
}

func ambiguousHeader(r *http.Request) *Problem {
	for _, name := range onceHeaders {
		if len(r.Header.Values(name)) > 1 {
			return BadRequest(name, "appears more than once")
		}
	}
	return nil
}

func ambiguousQuery(r *http.Request) *Problem {
	if r.URL.RawQuery == "" {
		return nil
	}
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return BadRequest("query", "must be percent-encoded parameters separated by &: %s", err)
	}
	for name, values := range query {
		if len(values) > 1 {
			return BadRequest(clip(name), "appears more than once in the query")
		}
	}
	return nil
}

// encodedBody returns a 415 for a Content-Encoding other than identity. The answer says what is
// accepted instead (RFC 9110, 15.5.16).
func encodedBody(r *http.Request) *Problem {
	for _, line := range r.Header.Values("Content-Encoding") {
		for coding := range strings.SplitSeq(line, ",") {
			coding = strings.TrimSpace(coding)
			if coding == "" || strings.EqualFold(coding, "identity") {
				continue
			}
			p := NewProblem(http.StatusUnsupportedMediaType, "Content-Encoding: %s is not supported: send the body as it is", clip(coding))
			p.Field = "Content-Encoding"
			p.header.Set("Accept-Encoding", "identity")
			return p
		}
	}
	return nil
}
