package chaos

import (
	"cmp"
	_ "embed"
	"fmt"
	"html/template"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"rideshare/e2e/report"
)

// Result is what a campaign has come to.
type Result struct {
	Seed       uint64
	Lasted     time.Duration
	Phases     []Phase
	Attempts   []Attempt
	Operations []Operation
	History    History
	Violations []Violation
}

// row is the figures of the phases of one class.
type row struct {
	class                        string
	injected, not                int
	requests, failed, operations int
	givenUp                      int
	longest                      time.Duration
	recoveries                   []time.Duration
}

// rows adds the figures up by class, the calm first.
func (r *Result) rows() []*row {
	byClass := map[string]*row{}
	var all []*row
	for _, p := range r.Phases {
		class := p.Class()
		if byClass[class] == nil {
			byClass[class] = &row{class: class}
			all = append(all, byClass[class])
		}
		for _, report := range p.Reports {
			if report.NotInjected != nil {
				byClass[class].not++
				continue
			}
			byClass[class].injected++
			byClass[class].recoveries = append(byClass[class].recoveries, report.Recovery)
		}
	}
	of := func(begun, ended time.Duration) *row { return byClass[r.Phases[Blame(r.Phases, begun, ended)].Class()] }
	for _, a := range r.Attempts {
		to := of(a.Begun, a.Ended)
		to.requests++
		if a.Failure != "" {
			to.failed++
		}
	}
	for _, o := range r.Operations {
		to := of(o.Begun, o.Ended)
		to.operations++
		to.longest = max(to.longest, o.Ended-o.Begun)
		if o.Failure != "" {
			to.givenUp++
		}
	}
	slices.SortStableFunc(all, func(a, b *row) int { return cmp.Compare(order(a.class), order(b.class)) })
	return all
}

// order puts what matters most first.
func order(class string) string {
	switch class {
	case pureClass:
		return "0"
	case Phase{}.Class():
		return "1"
	}
	return class
}

// Tables returns the figures, by what was broken, and the verdict.
func (r *Result) Tables() []report.Table {
	figures := report.Table{Columns: []string{
		"what was broken", "faults", "not injected", "requests", "of them failed", "failed after retries", "longest wait of a client",
		"whole again after the fault's end: median", "longest",
	}}
	var total row
	for _, f := range r.rows() {
		median, longest := spread(f.recoveries)
		figures.Add(f.class, f.injected, f.not, f.requests, f.failed, f.givenUp, f.longest, median, longest)
		total.injected, total.not = total.injected+f.injected, total.not+f.not
		total.requests, total.failed, total.givenUp = total.requests+f.requests, total.failed+f.failed, total.givenUp+f.givenUp
		total.longest = max(total.longest, f.longest)
		total.recoveries = append(total.recoveries, f.recoveries...)
	}
	median, longest := spread(total.recoveries)
	figures.Add("all", total.injected, total.not, total.requests, total.failed, total.givenUp, total.longest, median, longest)

	verdict := report.Table{Columns: []string{
		"seed", "lasted", "faults", "writes acknowledged", "retries of answered writes", "reads of sessions", "operations on registers",
		"lost", "doubled", "other violations",
	}}
	acked, reads := 0, 0
	for _, w := range r.History.Writes {
		if w.Outcome == Acked {
			acked++
		}
	}
	for _, s := range r.History.Seen {
		if s.Level != "" {
			reads++
		} else {
			acked++ // of a session's own counter
		}
	}
	lost, doubled := r.count(Lost), r.count(Doubled)
	verdict.Add(r.Seed, r.Lasted.Round(time.Second), total.injected, acked, len(r.History.Retries), reads, r.History.Registers,
		lost, doubled, len(r.Violations)-lost-doubled)
	return []report.Table{figures, verdict}
}

func (r *Result) count(kind string) (n int) {
	for _, v := range r.Violations {
		if v.Kind == kind {
			n++
		}
	}
	return n
}

func spread(times []time.Duration) (median, longest time.Duration) {
	if len(times) == 0 {
		return 0, 0
	}
	sorted := slices.Sorted(slices.Values(times))
	return sorted[len(sorted)/2], sorted[len(sorted)-1]
}

// Failures returns what failed while only workers and databases were killed, or nothing was broken:
// there must be none.
func (r *Result) Failures() (failed []string) {
	told := func(begun, ended time.Duration, failure string) {
		if p := r.Phases[Blame(r.Phases, begun, ended)]; failure != "" && (p.calm() || p.pure()) {
			failed = append(failed, fmt.Sprintf("%v to %v, during %v: %s", ms(begun), ms(ended), p.Step, failure))
		}
	}
	for _, a := range r.Attempts {
		told(a.Begun, a.Ended, a.Failure)
	}
	return failed
}

//go:embed page.html
var pageText string

// WritePage writes the verdict as a page into the folder, beside what was drawn, and returns its file.
func (r *Result) WritePage(folder string) (string, error) {
	page, err := template.New("page").Funcs(template.FuncMap{"base": filepath.Base, "ms": ms, "join": func(s []string) string { return strings.Join(s, "\n") }}).Parse(pageText)
	if err != nil {
		return "", err
	}
	file, err := os.Create(filepath.Join(folder, "index.html"))
	if err != nil {
		return "", err
	}
	failures := map[string]int{} // by what the callers got
	for _, a := range r.Attempts {
		if a.Failure != "" {
			failures[r.Phases[Blame(r.Phases, a.Begun, a.Ended)].Class()+": "+a.Failure]++
		}
	}
	err = page.Execute(file, map[string]any{"Result": r, "Tables": r.Tables(), "Must": r.Failures(), "Failures": failures})
	if closed := file.Close(); err == nil {
		err = closed
	}
	return file.Name(), err
}
