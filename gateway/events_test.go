package gateway_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"rideshare/internal/httpapi"
)

func TestEventsComeAtOnce(t *testing.T) {
	t.Parallel()
	more := make(chan struct{})
	f := start(t, time.Minute, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		for i := 0; ; i++ {
			_, _ = fmt.Fprintf(w, "data: %d\n\n", i)
			_ = http.NewResponseController(w).Flush()
			select {
			case <-more:
			case <-r.Context().Done():
				close(more)
				return
			}
		}
	})
	ctx, leave := context.WithCancel(t.Context())
	defer leave()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, f.url+"/api/v1/cluster/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(answer.Body)
	for i := range 3 {
		if !lines.Scan() || lines.Text() != fmt.Sprintf("data: %d", i) || !lines.Scan() {
			t.Fatalf("event %d: %q %v", i, lines.Text(), lines.Err())
		}
		if i < 2 {
			more <- struct{}{}
		}
	}
	leave()
	_ = answer.Body.Close()
	<-more // the function learns that the client is gone
}

// A stream of events outlives the server's limits of time, and ends when the server does.
func TestAStreamOfEvents(t *testing.T) {
	t.Parallel()
	const limit = 200 * time.Millisecond
	f := start(t, time.Minute, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", httpapi.EventType)
		for r.Context().Err() == nil {
			_, _ = io.WriteString(w, "data\n")
			_ = http.NewResponseController(w).Flush()
			select {
			case <-time.After(limit / 4): // a pace
			case <-r.Context().Done():
			}
		}
	})
	ending, end := context.WithCancel(t.Context())
	front := httptest.NewUnstartedServer(f.handler)
	front.Config.ReadTimeout, front.Config.WriteTimeout = limit, limit
	front.Config.BaseContext = func(net.Listener) context.Context { return httpapi.WithEnding(context.Background(), ending.Done()) }
	front.Start()
	defer front.Close()
	answer, err := http.Get(front.URL + "/api/v1/cluster/events")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close() //nolint:errcheck // read to its end
	lines, begun := bufio.NewScanner(answer.Body), time.Now()
	for time.Since(begun) < 5*limit {
		if !lines.Scan() {
			t.Fatalf("it ends after %v: %v", time.Since(begun), lines.Err())
		}
	}
	end()
	for lines.Scan() {
	}
	if err := lines.Err(); err != nil {
		t.Errorf("its end: %v", err)
	}
}
