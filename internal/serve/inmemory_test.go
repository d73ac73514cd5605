package serve

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
)

type key struct{}

func TestInMemory(t *testing.T) {
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if r.Context().Value(key{}) != nil {
			t.Error("a value of the client's context crossed")
		}
		if r.RequestURI != "/a%2Fb?q=1" || r.Host != "orchestrator" || r.URL.Host != "" {
			t.Errorf("uri %q, host %q, url %v", r.RequestURI, r.Host, r.URL)
		}
		r.Header.Set("X-In", "changed")
		w.Header().Set("X-Out", "1")
		w.WriteHeader(http.StatusTeapot)
		w.Header().Set("X-Out", "too late")
		_, _ = w.Write(append([]byte("got "), body...))
	})
	ctx := context.WithValue(t.Context(), key{}, "value")
	req, _ := http.NewRequestWithContext(ctx, http.MethodPost, "http://orchestrator/a%2Fb?q=1", strings.NewReader("body"))
	req.Header.Set("X-In", "1")
	resp, err := InMemory(h).RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	body, _ := io.ReadAll(resp.Body)
	if resp.StatusCode != http.StatusTeapot || resp.Header.Get("X-Out") != "1" || string(body) != "got body" {
		t.Errorf("%d %v %q", resp.StatusCode, resp.Header, body)
	}
	if req.Header.Get("X-In") != "1" {
		t.Error("the handler changed the client's header")
	}
}

func TestInMemoryPassesCancellationOn(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		derived, stop := context.WithCancel(r.Context())
		defer stop()
		cancel()
		<-derived.Done()
		w.WriteHeader(http.StatusServiceUnavailable)
	})
	client := &http.Client{Transport: InMemory(h)}
	req, _ := http.NewRequestWithContext(ctx, http.MethodGet, "http://x/", nil)
	if resp, err := client.Do(req); err == nil && resp.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("%d", resp.StatusCode)
	}
	if _, err := client.Do(req); err == nil {
		t.Error("a request with a cancelled context was made")
	}
}

func TestInMemoryAbort(t *testing.T) {
	h := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte("half"))
		panic(http.ErrAbortHandler)
	})
	req, _ := http.NewRequest(http.MethodGet, "http://x/", nil)
	if resp, err := InMemory(h).RoundTrip(req); err == nil {
		t.Errorf("half an answer passed for a whole one: %d", resp.StatusCode)
	}
}

func TestInMemoryEmptyAnswer(t *testing.T) {
	req, _ := http.NewRequest(http.MethodGet, "http://x", nil)
	resp, err := InMemory(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})).RoundTrip(req)
	if err != nil || resp.StatusCode != http.StatusOK || resp.ContentLength != 0 {
		t.Errorf("%v %v", resp, err)
	}
}
