// Package apidoc is the document of the whole API, OpenAPI 3.1, and a page to read it. It describes
// all functions, so that it is complete wherever it is served.
package apidoc

import (
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"rideshare/functions/orchestrator"
	"rideshare/functions/rides"
	"rideshare/functions/users"
	"rideshare/internal/httpapi"
)

// about is what the document says of the API as a whole.
const about = "A ride-sharing backend whose database heals itself. Errors are RFC 9457 problem documents. " +
	"A path that is not listed here is a 404, and a method that a path does not have is a 405. " +
	"The server answers what is not a well-formed HTTP/1.1 request in plain text, with 400, 431, 501 or 505, " +
	"and closes the connection. A gateway in front of the system answers 502, 503 or 504 where it reaches " +
	"no function in time; that answer need not be a problem document. " +
	"With RIDESHARE_AUTH=off a request whose Host is none of the server's own is answered with 403."

//go:embed page.html
var page string

// New returns handlers for GET /openapi.json and GET /docs, by their ServeMux patterns: they go
// into httpapi.Options.Handlers.
func New(version string) (map[string]http.Handler, error) {
	document, err := Document(version)
	if err != nil {
		return nil, err
	}
	return map[string]http.Handler{
		"GET /openapi.json": static("application/openapi+json", "", document),
		"GET /docs":         static("text/html; charset=utf-8", policy(), []byte(page)),
	}, nil
}

// Document returns the OpenAPI document.
func Document(version string) ([]byte, error) {
	api := httpapi.New(httpapi.Options{Title: "RideShare", Version: version})
	users.Register(api, users.Config{})
	rides.Register(api, rides.Config{})
	orchestrator.Register(api, orchestrator.Config{})
	api.OpenAPI().Info.Description = about
	if err := addExamples(api.OpenAPI()); err != nil {
		return nil, err
	}
	document, err := json.Marshal(api.OpenAPI())
	if err != nil {
		return nil, fmt.Errorf("apidoc: %w", err)
	}
	return document, nil
}

func static(contentType, policy string, body []byte) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		if policy != "" {
			w.Header().Set("Content-Security-Policy", policy)
		}
		_, _ = w.Write(body) // an error means that the client is gone
	})
}

// policy allows the page its own script and style, by their hashes, and the document.
func policy() string {
	return "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; connect-src 'self'" +
		"; script-src '" + hash("script") + "'; style-src '" + hash("style") + "'"
}

// hash returns the hash source of the page's one element of that name.
func hash(element string) string {
	_, rest, _ := strings.Cut(page, "<"+element+">")
	text, _, _ := strings.Cut(rest, "</"+element+">")
	sum := sha256.Sum256([]byte(text))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}
