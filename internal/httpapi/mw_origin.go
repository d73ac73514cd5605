package httpapi

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"rideshare/internal/consistency"
	"rideshare/internal/tracing"
)

// allowOrigin is the header that lets a page of another origin have the answer.
const allowOrigin = "Access-Control-Allow-Origin"

// sameOrigin refuses what a page of another site makes a browser send, unless shareOrigins has allowed
// it. Without it any page could change the data of a server that runs with RIDESHARE_AUTH=off on its
// reader's computer: the body may be of any Content-Type, so that no preflight request stands before
// it. Clients that are not browsers do not send what it looks at.
func sameOrigin() middleware {
	protection := http.NewCrossOriginProtection()
	protection.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		Forbidden("the request comes from a page of another site").Write(w)
	}))
	return func(next http.Handler) http.Handler {
		protected := protection.Handler(next)
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if w.Header().Get(allowOrigin) != "" {
				next.ServeHTTP(w, r)
				return
			}
			protected.ServeHTTP(w, r)
		})
	}
}

// preflightAge is how long a browser may keep the answer to a preflight request, in seconds. An origin
// that is taken off the list loses its access at once all the same: every request is checked again.
const preflightAge = "600"

// shareOrigins lets pages of the origins use the operations that are shared with them, by the CORS
// protocol. It stands outside of everything that answers, so that pages can read errors, too.
func shareOrigins(origins []string, shared func(method string, u *url.URL) bool) middleware {
	return func(next http.Handler) http.Handler {
		if len(origins) == 0 {
			return next
		}
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Add("Vary", "Origin")
			origin, method, preflight := r.Header.Get("Origin"), r.Method, false
			if wanted := r.Header.Get("Access-Control-Request-Method"); r.Method == http.MethodOptions && wanted != "" {
				method, preflight = wanted, true
			}
			if !slices.Contains(origins, origin) || !shared(method, r.URL) {
				next.ServeHTTP(w, r)
				return
			}
			w.Header().Set(allowOrigin, origin)
			if preflight {
				allow(w, method)
				return
			}
			w.Header().Set("Access-Control-Expose-Headers", strings.Join(exposedHeaders(), ", "))
			next.ServeHTTP(w, r)
		})
	}
}

// allow answers a preflight request.
func allow(w http.ResponseWriter, method string) {
	w.Header().Set("Access-Control-Allow-Methods", method)
	w.Header().Set("Access-Control-Allow-Headers", strings.Join(allowedHeaders(), ", "))
	w.Header().Set("Access-Control-Max-Age", preflightAge)
	w.WriteHeader(http.StatusNoContent)
}

// allowedHeaders are the headers of requests that pages of other origins may set.
func allowedHeaders() []string {
	return []string{"Authorization", "Content-Type", idempotencyKey, consistency.Header, tracing.Header, RequestIDHeader}
}

// exposedHeaders are the headers of answers that pages of other origins may read, beside those that
// every page may read.
func exposedHeaders() []string {
	return []string{consistency.Header, "Link", "Location", "Retry-After", "WWW-Authenticate", RequestIDHeader}
}

// shared reports whether a request is for an operation that pages of listed origins may use. Those of
// operators and services are never shared: see docs/decisions/0022.
func (a *API) shared(method string, u *url.URL) bool {
	if methods := a.methods[u.Path]; len(methods) > 0 && !slices.Contains(methods, method) {
		return false // see route
	}
	_, pattern := a.mux.Handler(&http.Request{Method: method, URL: u})
	return a.public[pattern]
}
