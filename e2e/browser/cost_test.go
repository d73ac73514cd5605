package browser

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// painted opens a page and returns after how long it was first painted.
func (p *page) painted(url string) time.Duration {
	p.Helper()
	p.open("about:blank")
	p.open(url)
	p.await("performance.getEntriesByName('first-contentful-paint').length === 1")
	ms := value[float64](p, "performance.getEntriesByName('first-contentful-paint')[0].startTime")
	return time.Duration(ms * float64(time.Millisecond))
}

// TestWeight: the page weighs under 100 kB, and is painted within 300 ms. Where the machine is so
// busy that an empty page takes a third of what this one does, it is the machine that is slow.
func TestWeight(t *testing.T) {
	const loads = 5
	empty := func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/empty" {
				w.Header().Set("Content-Type", "text/html")
				_, _ = io.WriteString(w, `<!doctype html><link rel="icon" href="data:,"><p>nothing`)
				return
			}
			h.ServeHTTP(w, r)
		})
	}
	s, p := start(t, "off", empty), browse(t)
	best, control := time.Hour, time.Hour
	for range loads {
		control = min(control, p.painted(s.url+"/empty"))
		best = min(best, p.painted(s.url))
		p.shows("#live", "Live")
		// Nothing but the page's own files.
		if away := value[int](p, "performance.getEntriesByType('resource').filter(r => !r.name.startsWith(location.origin)).length"); away != 0 {
			t.Errorf("%d files from elsewhere", away)
		}
	}
	// The sizes as they are sent: nothing is compressed. The stream of events is no part of it.
	files := value[[]string](p, "[location.href, ...performance.getEntriesByType('resource').map(r => r.name).filter(n => !n.includes('/api/'))]")
	var size int64
	for _, file := range files {
		resp, err := http.Get(file)
		if err != nil {
			t.Fatal(err)
		}
		n, err := io.Copy(io.Discard, resp.Body)
		if err != nil {
			t.Error(err)
		}
		_ = resp.Body.Close()
		size += n
	}
	t.Logf("first paint after %v at best of %d loads, an empty page's after %v; %d files of %d bytes in all", best, loads, control, len(files), size)
	if size > 100_000 || len(files) < 5 {
		t.Errorf("%d files of %d bytes", len(files), size)
	}
	if best > 300*time.Millisecond && best > 3*control {
		t.Errorf("first paint after %v, an empty page's after %v", best, control)
	}
}

// TestCostOfManyPages: 200 open pages cost under 10 % of a core, while the cluster changes all the
// time. The time of the processor for each event is what is measured, as it is the same on a machine
// that is busy; this process is its clients, too, whose time counts against it.
func TestCostOfManyPages(t *testing.T) {
	const pages, perSecond, span = 200, 2, 8 * time.Second
	s := start(t, "off", nil)
	client := &http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()

	// So that every event is a whole topology.
	var writes sync.WaitGroup
	defer writes.Wait()
	defer cancel()
	writes.Go(func() {
		for i := 0; ctx.Err() == nil; i++ {
			body := strings.NewReader(fmt.Sprintf(`{"username":"u%d","password":"e5e9fa1ba31ecd1ae84f75caaa474f3a663f05f4"}`, i))
			req, err := http.NewRequestWithContext(ctx, http.MethodPut, s.url+"/api/v1/users", body)
			if err != nil {
				t.Error(err)
				return
			}
			if resp, err := client.Do(req); err == nil {
				_ = resp.Body.Close()
			}
			select {
			case <-time.After(100 * time.Millisecond):
			case <-ctx.Done():
			}
		}
	})
	idle := processor(t, span)

	var events, topologies atomic.Int64
	var streams sync.WaitGroup
	defer streams.Wait()
	defer cancel()
	var begun sync.WaitGroup
	begun.Add(pages)
	for range pages {
		streams.Go(func() {
			first := sync.OnceFunc(begun.Done)
			defer first()
			req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url+"/api/v1/cluster/events", nil)
			if err != nil {
				t.Error(err)
				return
			}
			resp, err := client.Do(req)
			if err != nil {
				t.Error(err)
				return
			}
			defer func() { _ = resp.Body.Close() }()
			for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
				line := lines.Text()
				if strings.HasPrefix(line, "event: topology") {
					topologies.Add(1)
				}
				if strings.HasPrefix(line, "event: ") || line == ":" {
					events.Add(1)
					first()
				}
			}
		})
	}
	begun.Wait()
	events.Store(0)
	topologies.Store(0)
	busy := processor(t, span)
	n := events.Load()
	cancel()
	if n < pages {
		t.Fatalf("%d events for %d pages in %v", n, pages, span)
	}
	each := (busy - idle) / time.Duration(n)
	share := float64(each*pages*perSecond) / float64(time.Second)
	t.Logf("%d events, %d of them topologies, cost %v each, clients included: %d pages with %d events a second are %.1f %% of a core",
		n, topologies.Load(), each, pages, perSecond, 100*share)
	if share > 0.10 {
		t.Errorf("%d pages cost %.1f %% of a core", pages, 100*share)
	}
}

// processor returns how much of the processor's time this process takes in a while.
func processor(t *testing.T, while time.Duration) time.Duration {
	t.Helper()
	used := func() time.Duration {
		var u syscall.Rusage
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
			t.Fatal(err)
		}
		return time.Duration(u.Utime.Nano() + u.Stime.Nano())
	}
	before := used()
	time.Sleep(while) // what is measured is this time
	return used() - before
}
