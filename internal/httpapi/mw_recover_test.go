package httpapi

import (
	"bytes"
	"log/slog"
	"net/http"
	"strings"
	"testing"
)

func TestRecoverPanics(t *testing.T) {
	var log bytes.Buffer
	mw := recoverPanics(slog.New(slog.NewTextHandler(&log, nil)))
	w := do(mw(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("the secret cause") })), http.MethodGet, "/", nil)
	problem(t, w, 500)
	if strings.Contains(w.Body.String(), "secret") || strings.Count(log.String(), "msg=panic") != 1 {
		t.Errorf("answer %s, log %s", w.Body, &log)
	}
}

func TestRecoverCutsHalfAnswers(t *testing.T) {
	mw := recoverPanics(slog.New(slog.DiscardHandler))
	for name, h := range map[string]http.HandlerFunc{
		"half an answer": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte("half"))
			panic("oops")
		},
		"an abort": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
	} {
		func() {
			defer func() {
				if v := recover(); v != http.ErrAbortHandler {
					t.Errorf("%s: %v", name, v)
				}
			}()
			do(mw(h), http.MethodGet, "/", nil)
		}()
	}
}
