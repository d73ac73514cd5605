package browser

import (
	"context"
	_ "embed"
	"fmt"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

//go:embed testdata/check.js
var checks string

// check looks for what keeps people from using the page.
func (p *page) check(what string) {
	p.Helper()
	for _, fault := range value[[]string](p, "%s", checks) {
		p.Errorf("%s: %s", what, fault)
	}
}

// look makes the window a desk's or a phone's, light or dark.
func (p *page) look(dark, phone bool) string {
	p.Helper()
	scheme, device, viewport := "light", "desk", chromedp.EmulateViewport(1280, 900)
	if dark {
		scheme = "dark"
	}
	if phone {
		device, viewport = "phone", chromedp.EmulateViewport(360, 740, chromedp.EmulateMobile)
	}
	p.run(viewport, chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := cdp.Call(ctx, target, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
			{Name: "prefers-color-scheme", Value: scheme},
			{Name: "prefers-reduced-motion", Value: "reduce"},
		}})
		return err
	}))
	return device + "-" + scheme
}

// looks are all of them.
func (p *page) looks(f func(name string)) {
	p.Helper()
	for _, phone := range []bool{false, true} {
		for _, dark := range []bool{false, true} {
			f(p.look(dark, phone))
		}
	}
}

func TestEverybodyCanUseTheClusterPage(t *testing.T) {
	s, p := start(t, "off", nil), browse(t)
	p.open(s.url)
	p.shows("#live", "Live")
	p.fill("#rate", "10")
	p.fill("#seconds", "15")
	p.click("#load-start")
	p.shows("#load-outcome", "Under way")
	p.click("#crash-master")
	p.shows("#replaced", "replicas are serving")
	p.looks(func(name string) {
		p.picture("cluster-" + name)
		p.check(name)
	})
	p.shows("#load-outcome", "Done")
}

func TestEverybodyCanUseTheRidersPage(t *testing.T) {
	s, p := start(t, "on", nil), browse(t)
	p.open(s.url + "/app")
	p.shows("#who", "not signed in")
	p.check("signed out")
	p.signUp("alice")
	p.offer(1, 2)
	p.offer(3, 4)
	p.find(1, 2)
	p.shows("#found", "Area 1 to 2")
	p.looks(func(name string) {
		p.check(name)
		p.picture("app-" + name)
	})
}

func TestEverybodyCanSignIn(t *testing.T) {
	s, p := start(t, "on", nil), browse(t, "401")
	p.open(s.url)
	p.await("document.querySelector('#ask').open")
	p.fill("#token", "wrong")
	p.click("#ask-form .primary")
	p.shows("#ask-problem", "wrong or expired")
	p.looks(func(name string) { p.check(name) })
}

func TestWithTheKeyboard(t *testing.T) {
	s, p := start(t, "off", nil), browse(t)
	p.open(s.url)
	p.shows("#live", "Live")
	// Tab reaches every control, in the order of the page.
	want := []string{"crash-master", "crash-slave", "count", "auto", "to", "rate", "seconds", "load-start"}
	for presses := 0; len(want) > 0; presses++ {
		if presses > 40 {
			t.Fatalf("not reached: %v", want)
		}
		p.run(chromedp.KeyEvent("\t"))
		if value[string](p, "document.activeElement.id") == want[0] {
			want = want[1:]
		}
	}
	p.script("document.getElementById('crash-slave').focus()")
	p.run(chromedp.KeyEvent("\r"))
	p.shows("#outcome", "was killed")
	p.script("document.querySelector('.skip').focus()")
	p.run(chromedp.KeyEvent("\r"))
	if at := value[string](p, "location.hash"); at != "#main" {
		t.Errorf("the skip link leads to %q", fmt.Sprint(at))
	}
}
