package browser

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"rideshare/internal/config"
	"rideshare/internal/serve"
	"rideshare/oneprocess"
)

// patience is how long is waited for what must come.
const patience = 60 * time.Second

var screenshots = flag.Bool("screenshots", false, "write the pictures of the documents, into docs/pictures")

// chromium returns the path of the browser; without one the test is skipped, or fails when CI=true.
func chromium(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	if os.Getenv("CI") == "true" {
		t.Fatal("CI=true, but there is no Chromium: install the package chromium")
	}
	t.Skip("there is no Chromium: install the package chromium")
	return ""
}

// site is a system and its server, which can be ended and begun again.
type site struct {
	t      *testing.T
	system *oneprocess.System
	url    string
	addr   string
	wrap   func(http.Handler) http.Handler
	end    func() // ends the server
}

func start(t *testing.T, auth string, wrap func(http.Handler) http.Handler) *site {
	t.Helper()
	return startFor(t, auth, wrap, "")
}

// startFor is start with a list of origins whose pages may use the API.
func startFor(t *testing.T, auth string, wrap func(http.Handler) http.Handler, origins string) *site {
	t.Helper()
	c, err := config.Load[oneprocess.Config](nil)
	if err != nil {
		t.Fatal(err)
	}
	c.Auth, c.Data, c.Unsafe, c.CheapPasswords = auth, t.TempDir(), true, true
	c.Autoscale, c.CORSOrigins = false, origins
	system, err := oneprocess.New(c, "0.0.0-test", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if wrap == nil {
		wrap = func(h http.Handler) http.Handler { return h }
	}
	s := &site{t: t, system: system, addr: "127.0.0.1:0", wrap: wrap}
	background(t, system.Run)
	s.serve()
	for deadline := time.Now().Add(patience); system.Ready(t.Context()) != nil; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the system is not ready")
		}
	}
	return s
}

// serve begins to serve, at the address of before.
func (s *site) serve() {
	s.t.Helper()
	l, err := net.Listen("tcp", s.addr)
	if err != nil {
		s.t.Fatal(err)
	}
	s.addr = l.Addr().String()
	s.url = "http://" + s.addr
	s.end = background(s.t, func(ctx context.Context) error { return serve.HTTP(ctx, l, s.wrap(s.system.Handler())) })
}

// background runs f until the end of the test, or until what it returns is called.
func background(t *testing.T, f func(context.Context) error) (end func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- f(ctx) }()
	end = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil && !errors.Is(err, context.Canceled) && !errors.Is(err, http.ErrServerClosed) {
			t.Errorf("at the end: %v", err)
		}
	})
	t.Cleanup(end)
	return end
}

// page is a page in a browser of its own.
type page struct {
	*testing.T
	ctx context.Context

	mu     sync.Mutex
	faults []string // what the console has shown
	expect []string // parts of what it may show
}

// browse opens a browser without a page in it, with its sandbox unless this runs as root. What its console shows is a fault, but for what
// contains one of the expected texts. A site that it looks at is started before it: what is begun last ends first, and a page whose site
// has ended complains.
func browse(t *testing.T, expect ...string) *page {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(chromium(t)),
		chromedp.WSURLReadTimeout(patience), chromedp.WindowSize(1280, 900), chromedp.UserDataDir(t.TempDir()))
	allocator, stop := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, cancel := chromedp.NewContext(allocator)
	p := &page{T: t, ctx: ctx, expect: expect}
	focused := func(ctx context.Context, target *chromedp.Target) error {
		_, err := cdp.Call(ctx, target, emulation.SetFocusEmulationEnabled, emulation.SetFocusEmulationEnabledParams{Enabled: true})
		return err
	}
	if err := chromedp.Do(ctx, chromedp.Func(focused)); err != nil { // starts it
		t.Fatal(err)
	}
	messages := chromedp.Console(ctx)
	read := make(chan struct{})
	go func() {
		defer close(read)
		for m, err := range messages {
			if err != nil {
				return // the browser has ended
			}
			p.note(m)
		}
	}()
	t.Cleanup(func() {
		_ = chromedp.Cancel(ctx) // it may have ended
		cancel()
		stop()
		<-read
		for _, f := range p.faults {
			t.Errorf("on the console: %s", f)
		}
	})
	return p
}

// note keeps what is wrong with a page that it is on the console.
func (p *page) note(m chromedp.ConsoleMessage) {
	fault := fmt.Sprint(m, " ", m.Source, " ", m.URL)
	expected := slices.ContainsFunc(p.expect, func(part string) bool { return strings.Contains(fault, part) })
	serious := m.IsException() || m.Type == chromedp.ConsoleError || m.Type == chromedp.ConsoleWarning
	if !serious || expected {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.faults = append(p.faults, fault)
}

// do does a step, and returns what comes of it.
func do[T any](p *page, step chromedp.Action[T]) T {
	p.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	v, err := chromedp.Run(ctx, step)
	if err != nil {
		p.Fatal(err)
	}
	return v
}

func (p *page) run(steps ...chromedp.Action[chromedp.Void]) {
	p.Helper()
	do(p, chromedp.Steps(steps...))
}

func (p *page) open(url string) { p.Helper(); p.run(chromedp.Navigate(url)) }

// value returns the value of an expression of the page's, or of the promise that it is.
func value[T any](p *page, expression string, args ...any) T {
	p.Helper()
	return do(p, chromedp.Evaluate[T](fmt.Sprintf(expression, args...), chromedp.EvalAwaitPromise))
}

// script runs a script in the page.
func (p *page) script(script string, args ...any) {
	p.Helper()
	value[bool](p, "(() => { "+script+"; return true; })()", args...)
}

// text returns what an element shows.
func (p *page) text(selector string) string {
	p.Helper()
	return value[string](p, "document.querySelector(%q)?.innerText ?? ''", selector)
}

// await waits until an expression is true. Chromium's own way to do so needs eval, which the pages'
// policy does not allow.
func (p *page) await(expression string, args ...any) {
	p.Helper()
	expression = fmt.Sprintf(expression, args...)
	for deadline := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		if value[bool](p, "%s", "Promise.resolve("+expression+").then(Boolean)") {
			return
		}
		if time.Now().After(deadline) {
			p.Fatalf("it has not come: %s; the page shows:\n%s", expression, p.text("main"))
		}
	}
}

// shows waits until an element shows a text.
func (p *page) shows(selector, text string) {
	p.Helper()
	p.await("document.querySelector(%q)?.innerText.includes(%q)", selector, text)
}

// click clicks with the mouse, where the element is.
func (p *page) click(selector string) {
	p.Helper()
	p.await("(e => e && !e.disabled && e.checkVisibility())(document.querySelector(%q))", selector)
	p.run(chromedp.Click(chromedp.CSS(selector)))
}

// fill puts a text into an input by typing it.
func (p *page) fill(selector, text string) {
	p.Helper()
	p.set(selector, "")
	p.run(chromedp.SendKeys(chromedp.CSS(selector), text))
}

// set puts a value into an input, or a choice.
func (p *page) set(selector, text string) {
	p.Helper()
	p.script("document.querySelector(%q).value = %q", selector, text)
}

// picture writes a picture of the page into docs, where that is asked for.
func (p *page) picture(name string) {
	p.Helper()
	if !*screenshots {
		return
	}
	png := do(p, chromedp.FullScreenshot(100))
	file := filepath.Join("..", "..", "docs", "pictures", name+".png")
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		p.Fatal(err)
	}
	if err := os.WriteFile(file, png, 0o644); err != nil {
		p.Fatal(err)
	}
}
