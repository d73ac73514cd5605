package main

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"rideshare/e2e/report"
)

// sampleResults are those of a run in which each system is as many times slower as its place says.
func sampleResults() (results, []string) {
	r, systems := results{}, []string{ours, plain, group, oneProcess}
	for i, s := range systems {
		for _, w := range workloads() {
			for _, n := range connections(w.name) {
				for _, noise := range []float64{0.5, 1, 3} {
					r[cell{s, w.name, n}] = append(r[cell{s, w.name, n}], sample{
						PerSecond: noise * 1200 / float64(i+1), P50: time.Duration(i+1) * time.Millisecond,
						P90: time.Duration(i+2) * time.Millisecond, P99: time.Duration(i+3) * time.Millisecond, Requests: 100,
					})
				}
			}
		}
	}
	return r, systems
}

// sampleCosts are those of a run in which a request of the next system takes half as much.
func sampleCosts() costs {
	c := costs{}
	for i, s := range []string{ours, plain, group} {
		for _, n := range []int{1, 64} {
			for _, w := range costed() {
				for _, noise := range []int{1, 8, 2} {
					c[cell{s, w.name, n}] = append(c[cell{s, w.name, n}], perRequest{time.Duration(noise) * time.Millisecond >> i, float64(100 * noise)})
				}
			}
		}
	}
	return c
}

func sampleOutages() outages {
	o := outages{}
	for name, d := range map[string]time.Duration{ours: time.Second, group: 15 * time.Second} {
		of := o[name]
		of.times = []time.Duration{2 * d, d, d / 2}
		o[name] = of
	}
	return o
}

// TestGoals: the medians of the rounds are compared, each goal in its own direction.
func TestGoals(t *testing.T) {
	r, _ := sampleResults()
	var got []string
	for _, row := range goalTable(measured{r, sampleOutages(), sampleCosts()}).Rows {
		got = append(got, strings.Join(row[1:], " "))
	}
	want := []string{
		"at least 0.3 2.00 met", "at least 1.3 3.00 met", "at least 1.6 3.00 met", "at least 1 1.00 met",
		"at most 9 0.50 met", "at most 2 0.33 met", "at least 0.3 2.00 met", "at least 0.25 2.00 met",
		"at most 3.8 2.00 met", "at most 2.4 2.00 met", "at most 220 200.00 met",
		"at least 1 0.50 **missed**", "at least 1.3 0.50 **missed**", "at least 20 15.00 **missed**",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("%q, want %q", got, want)
	}
}

// TestFailedRequests: a cell with a failed request counts for nothing, and is named.
func TestFailedRequests(t *testing.T) {
	r, systems := sampleResults()
	r[cell{plain, write, 64}][1].Failed, r[cell{plain, write, 64}][1].Example = 2, "503 why"
	none := goalTable(measured{results: r}).Rows
	if row := none[0]; !strings.Contains(row[3], "not measured") {
		t.Errorf("%q", row)
	}
	for _, without := range []int{8, 10, len(none) - 1} { // costs and kills
		if row := none[without]; !strings.Contains(row[3], "not measured") {
			t.Errorf("%q", row)
		}
	}
	var out strings.Builder
	if !r.printFailures(&out) || !strings.Contains(out.String(), "2 of 300 requests: 503 why") || strings.Count(out.String(), "\n") != 1 {
		t.Errorf("it says %q", out.String())
	}
	for _, row := range figures(r, systems).Rows {
		failed := row[0] == write && row[1] == plain
		if got := row[4] == "failed: 2" && row[9] == "-"; got != failed {
			t.Errorf("%q", row)
		}
		if row[1] == ours && (row[2] != "1200" || row[7] != "1ms" || row[19] != "3ms" || (row[5] == "") != (row[0] != write)) {
			t.Errorf("%q", row)
		}
	}
}

func TestOutageTable(t *testing.T) {
	rows := outageTable(sampleOutages(), ours, group).Rows
	if got, want := fmt.Sprint(rows), fmt.Sprintf("[[%s 1s 2s 3 0] [%s 15s 30s 3 0]]", ours, group); got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// TestGrowthTable: a rate that is lower by more than a fifth is missed.
func TestGrowthTable(t *testing.T) {
	var all []grown
	for i, rides := range []int{1000, 100_000, 1_000_000} {
		m := grown{rides: rides, results: results{}}
		for name, change := range map[string]float64{write: 0.05, eventual: -0.15, upcoming: 0.15} {
			m.results[cell{ours, name, growthConnections}] = []sample{{PerSecond: 1000 * (1 + change*float64(i)), P50: time.Millisecond, Requests: 9}}
		}
		all = append(all, m)
	}
	var got []string
	for _, row := range growthTable(all, 59*time.Second).Rows {
		got = append(got, row[4]+" "+row[5])
	}
	want := "1100 (1.10), 1ms met; 700 (0.70), 1ms **missed**; 1300 (1.30), 1ms met; 59s met"
	if strings.Join(got, "; ") != want {
		t.Errorf("%q, want %q", got, want)
	}
	all[1].results[cell{ours, write, growthConnections}][0].Failed = 1
	if row := growthTable(all, 0).Rows[0]; !strings.Contains(row[5], "not measured") {
		t.Errorf("with a failed request: %q", row)
	}
}

// TestCopies: what a backup takes is compared with the wishes, and what a restore brings with the backup.
func TestCopies(t *testing.T) {
	all := []grown{{backup: operation{took: time.Second, memory: 20e6, Rows: 1000}}, {backup: operation{took: 50 * time.Second, memory: 29e6, Rows: 1_000_000}}}
	verdicts := func(r restored) (got string) {
		var table report.Table
		copyRows(&table, all, r)
		for _, row := range table.Rows {
			got += row[3] + " " + row[4] + "; "
		}
		return got
	}
	back := restored{operation: operation{took: time.Minute, memory: 30e6}, same: true, verify: time.Second}
	if got := verdicts(back); got != "50s, 1000000 met; 29 MB (1.45) met; 1m0s, 30 MB met; 1s met; " {
		t.Errorf("%q", got)
	}
	all[1].backup.took, all[1].backup.memory = 61*time.Second, 31e6
	back.same, back.unlike = false, errors.New("p1.1 differs")
	if got := verdicts(back); got != "1m1s, 1000000 **missed**; 31 MB (1.55) **missed**; 1m0s, 30 MB **missed**; p1.1 differs **missed**; " {
		t.Errorf("%q", got)
	}
}

// TestLongestGap: the gap counts that ends after the kill, wherever it began.
func TestLongestGap(t *testing.T) {
	var a acknowledgements
	begun := time.Now()
	at := func(ms int) time.Time { return begun.Add(time.Duration(ms) * time.Millisecond) }
	for _, ms := range []int{0, 900, 910, 1400, 1420, 1000} {
		a.add(at(ms), nil)
	}
	a.add(at(1100), errors.New("refused"))
	if got := a.longestGap(at(950)); got != 400*time.Millisecond || a.failed != 1 {
		t.Errorf("%v, %d failed", got, a.failed)
	}
	if !a.after(at(1419)) || a.after(at(1420)) {
		t.Error("the last one is at 1420")
	}
}

func TestProcessors(t *testing.T) {
	before, err := parseProcessors("cpu  100 0 100 700 50 0 0 50 9 9\ncpu0 1")
	after, err2 := parseProcessors("cpu  150 0 150 740 60 0 0 100 99 99\n")
	if busy, stolen := after.since(before); err != nil || err2 != nil || busy != 50 || stolen != 25 {
		t.Errorf("busy %v %%, stolen %v %%, %v, %v", busy, stolen, err, err2)
	}
	for _, bad := range []string{"", "cpu 1 2 3", "intr 1 2 3 4 5 6 7 8 9", "cpu a 2 3 4 5 6 7 8"} {
		if _, err := parseProcessors(bad); err == nil {
			t.Errorf("%q was read", bad)
		}
	}
}

func TestProcessTime(t *testing.T) {
	d, err := processTime("12 (a ) b) S 1 2 3 4 5 6 7 8 9 10 150 50 7 7 20\n")
	if err != nil || d != 2*time.Second {
		t.Errorf("%v, %v", d, err)
	}
	for _, bad := range []string{"", "1 (a) S 1", "1 (a) S 1 2 3 4 5 6 7 8 9 10 x 50"} {
		if _, err := processTime(bad); err == nil {
			t.Errorf("%q was read", bad)
		}
	}
}

func TestThreadSwitches(t *testing.T) {
	n, err := threadSwitches("Name:\ta\nvoluntary_ctxt_switches:\t150\nnonvoluntary_ctxt_switches:\t7\n")
	if err != nil || n != 157 {
		t.Errorf("%d, %v", n, err)
	}
	for _, bad := range []string{"", "voluntary_ctxt_switches:\t150\n", "voluntary_ctxt_switches:\tx\nnonvoluntary_ctxt_switches:\t7\n"} {
		if _, err := threadSwitches(bad); err == nil {
			t.Errorf("%q was read", bad)
		}
	}
}

// The budget has a table for each workload, with the medians of each part.
func TestBudgetTables(t *testing.T) {
	b := budgetResults{}
	for _, w := range []string{write, eventual, strong} {
		for _, n := range budgetConnections() {
			for _, micros := range []int{100, 900, 300} {
				used := map[string]perRequest{"gateway": {time.Duration(micros) * time.Microsecond, float64(micros) / 100}}
				key := cell{ours, w, n}
				b[key] = append(b[key], budgetSample{sample: sample{PerSecond: float64(micros)}, used: used, perEntry: 2.5})
			}
		}
	}
	tables := b.tables([]string{"gateway"})
	if len(tables) != 3 {
		t.Fatalf("%d tables", len(tables))
	}
	text := tables[0].Markdown()
	for _, row := range []string{
		"| gateway | 300 µs, 3.0 | 300 µs, 3.0 | 300 µs, 3.0 | 300 µs, 3.0 | 300 µs, 3.0 |",
		"| requests in an entry | 2.5 | 2.5 | 2.5 | 2.5 | 2.5 |", "| requests a second | 300 |",
	} {
		if !strings.Contains(text, row) {
			t.Errorf("there is no %q in\n%s", row, text)
		}
	}
}

// TestPictures: they are SVG, and name every system.
func TestPictures(t *testing.T) {
	r, systems := sampleResults()
	folder := t.TempDir()
	if err := drawAll(r, systems, folder); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{"bench-throughput.svg", "bench-latency.svg"} {
		data, err := os.ReadFile(filepath.Join(folder, file))
		if err != nil {
			t.Fatal(err)
		}
		var svg struct{ XMLName xml.Name }
		if err := xml.Unmarshal(data, &svg); err != nil || svg.XMLName.Local != "svg" {
			t.Errorf("%s: %v, %v", file, svg, err)
		}
		for _, s := range append(systems, "session", "strong", write) {
			if !strings.Contains(string(data), s) {
				t.Errorf("%s does not name %s", file, s)
			}
		}
	}
}

// TestGenerator: it sends what the workloads say, counts what is answered otherwise, and fails where
// nobody listens.
func TestGenerator(t *testing.T) {
	if _, err := exec.LookPath("wrk"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip("wrk is not there: `make wrk` installs it on Debian and Ubuntu")
	}
	var seen atomic.Pointer[string]
	var refuse atomic.Bool
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		what := fmt.Sprint(r.Method, " ", r.URL, " ", r.Header.Get("Consistency-Token"), " ", string(body))
		seen.Store(&what)
		if refuse.Load() {
			w.WriteHeader(http.StatusConflict)
			_, _ = io.WriteString(w, `"why" 100%`)
			return
		}
		if r.Method == http.MethodPost && r.URL.Path == "/api/v1/rides" {
			w.WriteHeader(http.StatusCreated)
		}
	}))
	defer server.Close()
	g, err := newGenerator(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	s := newSystem(ours, server.URL, "")
	s.rides, s.token = []int64{7}, "3.9"
	wants := map[string]string{
		write:    `POST /api/v1/rides  {"created_by":"bench","destination":`,
		eventual: "GET /api/v1/rides/7  ",
		session:  "GET /api/v1/rides/7 3.9 ",
		strong:   `POST /api/v1/db/read  {"queries":[`,
		upcoming: "GET /api/v1/rides?source=197&destination=198  ",
	}
	for _, w := range workloads() {
		m, err := g.run(t.Context(), s, w, 2, 0, time.Second)
		if err != nil {
			t.Fatal(err)
		}
		if m.Failed != 0 || m.Requests == 0 || m.PerSecond <= 0 || m.P50 <= 0 || m.P99 < m.P50 {
			t.Errorf("%s: %+v", w.name, m)
		}
		if got := *seen.Load(); !strings.HasPrefix(got, wants[w.name]) {
			t.Errorf("%s sends %s", w.name, got)
		}
	}
	refuse.Store(true)
	m, err := g.run(t.Context(), s, workloads()[1], 2, 0, time.Second)
	if err != nil || m.Failed != m.Requests || m.Failed == 0 || m.PerSecond != 0 || m.Example != "409 'why' 100%" {
		t.Errorf("%+v, %v", m, err)
	}
	server.Close()
	if m, err := g.run(t.Context(), s, workloads()[1], 2, 0, time.Second); err == nil && m.Failed == 0 {
		t.Errorf("of a server that is gone: %+v", m)
	}
}
