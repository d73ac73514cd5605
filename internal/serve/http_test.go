package serve

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
)

func nothing(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }

// TestLastAnswers: an answer says that its connection ends once the server is to end, and not before.
func TestLastAnswers(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	handler := lastAnswers(ctx, http.HandlerFunc(nothing))
	connection := func() string {
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
		return w.Header().Get("Connection")
	}
	if c := connection(); c != "" {
		t.Errorf("Connection: %s", c)
	}
	cancel()
	if c := connection(); c != "close" {
		t.Errorf("in the end, Connection: %q", c)
	}
}

// TestHTTPEnds: it ends while a client keeps a connection, and nobody listens any more.
func TestHTTPEnds(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- HTTP(ctx, l, http.HandlerFunc(nothing)) }()
	client := &http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	answer, err := client.Get("http://" + l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	if answer.Close {
		t.Error("the connection ends before the server does")
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if conn, err := net.Dial("tcp", l.Addr().String()); err == nil {
		_ = conn.Close()
		t.Error("it still listens")
	}
}
