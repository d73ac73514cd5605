package browser

import (
	"crypto/sha1"
	"fmt"
	"strings"
	"testing"
)

// unbound takes the bounds off an input, as somebody may who wants to see what the service says.
func (p *page) unbound(selector string) {
	p.Helper()
	p.script("for (const a of ['max', 'min', 'required']) document.querySelector(%q).removeAttribute(a)", selector)
}

func (p *page) sign(button, username, password string) {
	p.Helper()
	p.fill("#username", username)
	p.fill("#password", password)
	p.click(button)
}

func (p *page) signUp(username string) {
	p.Helper()
	p.sign("#sign-up", username, "secret of "+username)
	p.await("document.querySelector('#who').innerText === %q", "You are signed in as "+username+".")
	p.await("document.querySelector('#mine').checkVisibility()")
}

func (p *page) offer(from, to int) {
	p.Helper()
	p.set("#offer-message", "")
	p.fill("#source", fmt.Sprint(from))
	p.fill("#destination", fmt.Sprint(to))
	p.click("#offer-ride")
	p.shows("#mine-list", fmt.Sprintf("Area %d to %d, offered by you", from, to))
}

func (p *page) find(from, to int) {
	p.Helper()
	p.fill("#find-source", fmt.Sprint(from))
	p.fill("#find-destination", fmt.Sprint(to))
	p.click("#find")
	p.await("document.querySelector('#find-message').innerText !== ''")
}

func TestRidersPage(t *testing.T) {
	s, p := start(t, "on", nil), browse(t, "400", "401")
	p.open(s.url + "/app")
	p.shows("#who", "not signed in")

	p.sign("#sign-in", "alice", "secret")
	p.await("document.querySelector('#account-message.problem')")
	p.signUp("alice")
	p.shows("#mine-message", "None yet")
	p.offer(1, 2)
	p.fill("#destination", "1")
	p.fill("#source", "1")
	p.click("#offer-ride")
	p.await("document.querySelector('#offer-message.problem')")
	p.unbound("#source")
	p.fill("#source", "7777")
	p.click("#offer-ride")
	p.shows("#offer-message", "must be a whole number from 1 to 198")
	if !value[bool](p, "document.querySelector('#source').getAttribute('aria-invalid') === 'true' && document.activeElement.id === 'source'") {
		t.Error("the field that is wrong is not marked")
	}

	p.click("#sign-out")
	p.sign("#sign-up", "alice", "another")
	p.shows("#account-message", "exist")
	p.signUp("bob")
	p.find(2, 1)
	p.shows("#find-message", "No upcoming ride from area 2 to 1")
	p.find(1, 2)
	p.shows("#found", "offered by alice")
	p.click("#found button") // join
	p.shows("#find-message", "You are in ride 1")
	p.shows("#mine-list", "offered by alice")
	p.click("#found button") // again
	p.shows("#find-message", "already")

	p.click("#mine-list button:nth-of-type(1)") // who joined?
	p.shows("#mine-message", "In ride 1: bob.")
	p.click("#mine-list button:nth-of-type(2)") // leave
	p.shows("#mine-message", "You have left ride 1")
	p.await("document.querySelectorAll('#mine-list li').length === 0")

	p.open(s.url + "/app") // a reload does not sign out
	p.shows("#who", "signed in as bob")
	p.click("#sign-out")
	p.sign("#sign-in", "alice", "secret of alice")
	p.shows("#mine-list", "offered by you")
	p.click("#mine-list button:nth-of-type(1)")
	p.shows("#mine-message", "Nobody has joined")
	p.click("#mine-list button:nth-of-type(2)") // delete
	p.shows("#mine-message", "was deleted")
	p.find(1, 2)
	p.shows("#find-message", "No upcoming ride")

	// A token that is over.
	p.script(`sessionStorage.setItem("rideshare.rider", JSON.stringify({username: "alice", token: "a.b.c"}))`)
	p.open(s.url + "/app")
	p.shows("#account-message", "sign in again")
}

// What people call themselves is shown as they wrote it, and is never markup.
func TestNamesAreText(t *testing.T) {
	const evil = `<img src=x onerror="document.title='owned'"><b>&amp;`
	s, p := start(t, "off", nil), browse(t, "400") // nobody can sign out there
	p.open(s.url + "/app")
	p.signUp(evil)
	p.offer(1, 2)
	p.click("#sign-out")
	p.signUp(`'"><svg onload=alert(1)>`)
	p.find(1, 2)
	p.shows("#found", "offered by "+evil)
	p.click("#found button")
	p.shows("#find-message", "You are in ride 1")
	p.click("#mine-list button:nth-of-type(1)")
	p.shows("#mine-message", "<svg onload=alert(1)>")
	if n := value[int](p, "document.querySelectorAll('main img, main svg, main b b').length"); n != 0 {
		t.Errorf("%d elements were made of names", n)
	}
	if title := value[string](p, "document.title"); !strings.Contains(title, "RideShare") {
		t.Errorf("title %q", title)
	}
}

// The page's SHA-1 is Go's.
func TestDigest(t *testing.T) {
	s, p := start(t, "off", nil), browse(t)
	p.open(s.url + "/app")
	p.await(`import("./web/sha1.js").then(m => window.sha1 = m.sha1)`)
	for _, text := range []string{"", "secret", "pässwörd 日本", strings.Repeat("a", 55), strings.Repeat("b", 56), strings.Repeat("c", 64), strings.Repeat("d", 1000)} {
		if got, want := value[string](p, "sha1(%q)", text), fmt.Sprintf("%x", sha1.Sum([]byte(text))); got != want {
			t.Errorf("%.20q: %s, want %s", text, got, want)
		}
	}
}
