// Package web is the two pages for people: the cluster page at / and the rider's page at /app. They
// are static files that talk to the public API from the browser, so that any function can serve
// them, wherever it runs; nothing is built, and nothing is fetched from elsewhere.
package web

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"time"
)

//go:embed static
var files embed.FS

// Policy is the Content-Security-Policy of the pages: scripts, styles and requests of this origin,
// nothing inline, and no text that becomes markup.
const Policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"

// pages are the files that have a path of their own; the others are below /web/.
var pages = map[string]string{"cluster.html": "GET /{$}", "app.html": "GET /app"}

// types are the content types of the files, by extension: those of the system's tables differ from
// machine to machine.
var types = map[string]string{
	".html": "text/html; charset=utf-8",
	".css":  "text/css; charset=utf-8",
	".js":   "text/javascript; charset=utf-8",
	".svg":  "image/svg+xml",
}

// Handlers returns the handlers of the pages and their files, by their ServeMux patterns: they go
// into httpapi.Options.Handlers.
func Handlers() (map[string]http.Handler, error) {
	entries, err := fs.ReadDir(files, "static")
	if err != nil {
		return nil, fmt.Errorf("web: %w", err)
	}
	handlers := map[string]http.Handler{}
	for _, e := range entries {
		body, err := fs.ReadFile(files, "static/"+e.Name())
		if err != nil {
			return nil, fmt.Errorf("web: %w", err)
		}
		pattern, ok := pages[e.Name()]
		if !ok {
			pattern = "GET /web/" + e.Name()
		}
		handlers[pattern] = file(types[path.Ext(e.Name())], body)
	}
	return handlers, nil
}

// file serves a file. A browser asks each time whether it has changed, which an upgrade does.
func file(contentType string, body []byte) http.Handler {
	etag := fmt.Sprintf(`"%x"`, sha256.Sum256(body))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Type", contentType)
		h.Set("Content-Security-Policy", Policy)
		h.Set("Cache-Control", "no-cache")
		h.Set("ETag", etag)
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(body))
	})
}
