// Package report writes what a run has measured into a page of the documentation, in place of what
// an earlier run of the same name wrote there.
package report

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// Table is a table of a report.
type Table struct {
	Columns []string
	Rows    [][]string
	Note    string // stands below it
}

// Add adds a row. Durations are rounded to three digits or so.
func (t *Table) Add(cells ...any) {
	row := make([]string, len(cells))
	for i, c := range cells {
		if d, ok := c.(time.Duration); ok {
			row[i] = round(d).String()
		} else {
			row[i] = fmt.Sprint(c)
		}
	}
	t.Rows = append(t.Rows, row)
}

func round(d time.Duration) time.Duration {
	switch {
	case d >= 10*time.Second:
		return d.Round(100 * time.Millisecond)
	case d >= time.Second:
		return d.Round(10 * time.Millisecond)
	case d >= 10*time.Millisecond:
		return d.Round(time.Millisecond)
	}
	return d.Round(10 * time.Microsecond)
}

// Markdown is the table as Markdown, and legible as it is.
func (t Table) Markdown() string {
	var b strings.Builder
	line := func(cells []string) { fmt.Fprintf(&b, "| %s |\n", strings.Join(cells, " | ")) }
	line(t.Columns)
	fmt.Fprintf(&b, "|%s\n", strings.Repeat("---|", len(t.Columns)))
	for _, r := range t.Rows {
		line(r)
	}
	if t.Note != "" {
		fmt.Fprintf(&b, "\n%s\n", t.Note)
	}
	return b.String()
}

// Update writes the tables into the file, as its section of that name, with the date, the machine
// and the command that measures them. The section is added at the end where there is none yet.
func Update(file, name, command string, tables ...Table) error {
	page, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	var section bytes.Buffer
	fmt.Fprintf(&section, "%s\n%s, %s: `%s`\n", begin(name), time.Now().Format(time.DateOnly), machine(), command)
	for _, t := range tables {
		fmt.Fprintf(&section, "\n%s", t.Markdown())
	}
	section.WriteString(end(name))
	return os.WriteFile(file, replace(page, name, section.Bytes()), 0o644)
}

func begin(name string) string { return "<!-- begin " + name + " -->" }
func end(name string) string   { return "<!-- end " + name + " -->" }

func replace(page []byte, name string, section []byte) []byte {
	before, rest, found := bytes.Cut(page, []byte(begin(name)))
	_, after, whole := bytes.Cut(rest, []byte(end(name)))
	if !found || !whole {
		return append(bytes.TrimRight(page, "\n"), []byte("\n\n"+string(section)+"\n")...)
	}
	return append(append(bytes.Clone(before), section...), after...)
}

// machine describes this machine, as far as it bears on what was measured.
func machine() string {
	memory := ""
	if f, err := os.Open("/proc/meminfo"); err == nil {
		defer f.Close() //nolint:errcheck // it was read
		if s := bufio.NewScanner(f); s.Scan() {
			if fields := strings.Fields(s.Text()); len(fields) > 1 {
				kib, _ := strconv.Atoi(fields[1]) // 0 shows that it was not understood
				memory = fmt.Sprintf(", %d GiB", (kib+1<<19)>>20)
			}
		}
	}
	return fmt.Sprintf("%d cores%s, %s/%s", runtime.NumCPU(), memory, runtime.GOOS, runtime.GOARCH)
}
