package browser

import (
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
)

const workers = "[...document.querySelectorAll('.worker:not(.gone)')]"

// master returns the worker that the page shows as the master.
func (p *page) master() string {
	p.Helper()
	p.await("document.querySelector('.worker.master h3')")
	return p.text(".worker.master h3")
}

// whole waits until the page shows a master and so many slaves, all serving.
func (p *page) whole(slaves int) {
	p.Helper()
	p.await("%s.length === %d && %s.every(w => w.innerText.includes('serving')) && document.querySelectorAll('.worker.master').length === 1",
		workers, slaves+1, workers)
}

// A master dies under load: its death, the election, the promotion and the replacement are seen, and
// no request fails.
func TestCrashOfTheMaster(t *testing.T) {
	s, p := start(t, "off", nil), browse(t)
	p.open(s.url)
	p.shows("#live", "Live")
	p.whole(2)
	old := p.master()
	p.fill("#rate", "20")
	p.fill("#seconds", "60")
	p.click("#load-start")
	p.await("Number(document.querySelector('#chart-writes .now').innerText) > 1")
	p.await("Number(document.querySelector('#chart-reads .now').innerText) > 1")
	p.await("document.querySelector('.wires .busy')")
	p.click("#crash-master")
	p.shows("#outcome", "was killed")
	p.await("document.querySelector('[id=\"worker-%s\"]')?.classList.contains('gone')", old)
	for step, text := range map[string]string{"died": old, "elected": "", "promoted": "is master of epoch", "replaced": "replicas are serving"} {
		p.await("document.querySelector('#%s.done')?.innerText.includes(%q)", step, text)
	}
	p.click("#load-stop")
	p.whole(2)
	if next := p.master(); next == old {
		t.Errorf("%s is the master again", next)
	}
	p.shows("#seen", old+", master, is gone")
	p.shows("#seen", "is master of epoch")
	p.shows("#recoveries", "master "+old)
	p.shows("#load-outcome", "Done")
	if got := p.text("#load-outcome"); !strings.Contains(got, " 0 failed") {
		t.Errorf("the load: %s", got)
	}
	// It has taken away what it made.
	p.await("fetch('api/v1/users').then(r => r.status === 204)")
}

func TestButtonsOfTheClusterPage(t *testing.T) {
	s, p := start(t, "off", nil), browse(t)
	p.open(s.url)
	p.whole(2)

	p.click("#crash-slave")
	p.shows("#outcome", "The slave, process")
	p.shows("#seen", "slave, is gone")
	p.whole(2)

	p.fill("#count", "3")
	p.click("#scale button")
	p.shows("#outcome", "3 slaves are wanted")
	p.whole(3)
	p.fill("#count", "2")
	p.click("#scale button")
	p.whole(2)
	p.click("#auto")
	p.shows("#outcome", "follows the reads")
	p.shows("#summary", "scaled automatically")

	old := p.master()
	p.click("#switch button")
	p.shows("#outcome", "is the master now")
	p.await("document.querySelector('.worker.master h3')?.innerText !== %q", old)
	p.await("[...document.querySelectorAll('#to option')].some(o => o.value === %q)", old)
	p.set("#to", old) // and back
	p.click("#switch button")
	p.shows("#outcome", old+" is the master now")
	p.await("document.querySelector('.worker.master h3')?.innerText === %q", old)

	p.fill("#seconds", "100")
	p.click("#load-start")
	p.shows("#load-outcome", "Under way")
	p.click("#load-stop")
	p.shows("#load-outcome", "Done")
	p.await("document.querySelector('#load-progress').hidden && document.querySelector('#load-stop').disabled")
}

func TestOutOfBounds(t *testing.T) {
	s, p := start(t, "off", nil), browse(t, "400")
	p.open(s.url)
	p.whole(2)
	p.unbound("#count")
	p.fill("#count", "77")
	p.click("#scale button")
	p.shows("#outcome", "the number of slaves must be from 1 to 5")
	if !value[bool](p, "document.querySelector('#outcome').classList.contains('problem')") {
		t.Error("an error does not look like one")
	}
	// The form keeps the load within its bounds.
	p.fill("#rate", "51")
	p.click("#load-start")
	if value[bool](p, "document.querySelector('#rate').validity.valid || !document.querySelector('#load-progress').hidden") {
		t.Error("a load of 51 rides a second was begun")
	}
}

func TestOperatorsToken(t *testing.T) {
	s, p := start(t, "on", nil), browse(t, "401")
	p.open(s.url)
	p.await("document.querySelector('#ask').open")
	p.picture("token")
	p.fill("#token", "wrong")
	p.click("#ask-form .primary")
	p.shows("#ask-problem", "the token is wrong or expired")
	p.click("#ask-cancel")
	p.shows("#summary", "asks for the operator's token")
	p.click("#sign")
	p.fill("#token", s.system.ServiceToken())
	p.click("#ask-form .primary")
	p.shows("#live", "Live")
	p.whole(2)
	p.await("document.querySelector('#sign').hidden")
	p.click("#crash-slave")
	p.shows("#outcome", "was killed")
	p.open(s.url) // a reload keeps it
	p.shows("#live", "Live")
	if got := value[string](p, "location.href + document.cookie"); strings.Contains(got, s.system.ServiceToken()) {
		t.Error("the token is in the address or a cookie")
	}
}

// The server goes and comes again: the page says so, and goes on.
func TestReconnect(t *testing.T) {
	s, p := start(t, "off", nil), browse(t, "ERR_")
	p.open(s.url)
	p.shows("#live", "Live")
	s.end()
	p.shows("#live", "Connecting again")
	s.serve()
	p.shows("#live", "Live")
	p.whole(2)
}

// Where answers cannot be streamed the page reads again and again, and says so.
func TestWithoutStreams(t *testing.T) {
	whole := func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			h.ServeHTTP(struct{ http.ResponseWriter }{w}, r) // no deadlines to set, as on Lambda
		})
	}
	s, p := start(t, "off", whole), browse(t, "501")
	p.open(s.url)
	p.shows("#live", "Read every 2 s")
	p.whole(2)
	old := p.master()
	p.click("#crash-master")
	p.await("document.querySelector('.worker.master h3')?.innerText !== %q", old)
	p.whole(2)
}

// A part that does not answer is shown as such, with what was known before.
func TestOutage(t *testing.T) {
	var news atomic.Value
	told := func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/api/v1/cluster/events" || news.Load() == nil {
				h.ServeHTTP(w, r)
				return
			}
			w.Header().Set("Content-Type", "text/event-stream")
			_, _ = w.Write([]byte(news.Load().(string))) // and the stream ends
		})
	}
	s, p := start(t, "off", told), browse(t, "ERR_")
	p.open(s.url)
	p.whole(2)
	for part, box := range map[string]string{"registry": "#registry", "watcher": "#watcher", "broker": "#writes"} {
		news.Store("event: outage\ndata: {\"part\":\"" + part + "\",\"detail\":\"the " + part + " is <b>away</b>\"}\n\n")
		s.end() // so that the page connects again
		s.serve()
		p.shows("#summary", "the "+part+" is <b>away</b>")
		p.shows(box+".down", "does not answer")
		p.whole(2) // as known from before
	}
}
