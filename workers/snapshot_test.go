package workers_test

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"rideshare/internal/registry"
	logmemory "rideshare/internal/replog/memory"
	"rideshare/internal/serve"
	"rideshare/workers"
)

func TestSnapshotsOverHTTP(t *testing.T) {
	bubble(t, logmemory.Options{}, func(s *site) {
		s.found("w1")
		s.mustWrite("1", addUser("alice"))
		handler := s.workers["w1"].Snapshots("secret")
		client := &http.Client{Transport: serve.InMemory(handler)}
		donor := registry.Member{ID: "w1", Addr: "w1:7000"}
		for _, wrong := range []string{"", "Secret", "secret "} {
			if _, err := workers.FetchHTTP(client, wrong)(s.t.Context(), donor); err == nil || !strings.Contains(err.Error(), "401") {
				t.Errorf("with the token %q: %v", wrong, err)
			}
		}
		body, err := workers.FetchHTTP(client, "secret")(s.t.Context(), donor)
		if err != nil {
			t.Fatal(err)
		}
		snapshot, err := io.ReadAll(body)
		if err != nil || !bytes.Contains(snapshot, []byte("alice")) {
			t.Errorf("a snapshot of %d bytes: %v", len(snapshot), err)
		}
	})
}

func TestNobodyGetsASnapshotWhereNoTokenIsSet(t *testing.T) {
	bubble(t, logmemory.Options{}, func(s *site) {
		s.found("w1")
		w := httptest.NewRecorder()
		r := httptest.NewRequest(http.MethodGet, "/snapshot", nil)
		r.Header.Set("Authorization", "Bearer ")
		s.workers["w1"].Snapshots("").ServeHTTP(w, r)
		if w.Code != http.StatusUnauthorized {
			t.Errorf("%d", w.Code)
		}
	})
}
