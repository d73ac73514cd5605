package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"
)

// format is the value of --output.
type format string

const (
	asTable format = "table"
	asJSON  format = "json"
)

// String, Set and Type implement pflag.Value.
func (f *format) String() string { return string(*f) }

// Set implements pflag.Value.
func (f *format) Set(s string) error {
	if s != string(asTable) && s != string(asJSON) {
		return fmt.Errorf("must be table or json")
	}
	*f = format(s)
	return nil
}

// Type implements pflag.Value.
func (f *format) Type() string { return "table|json" }

// outputFlag adds --output to a command.
func outputFlag(cmd *cobra.Command) *format {
	f := asTable
	cmd.Flags().VarP(&f, "output", "o", "how to print it")
	_ = cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions([]string{"table", "json"}, cobra.ShellCompDirectiveNoFileComp)) // the flag is there
	return &f
}

func printJSON(out io.Writer, v any) error {
	encoder := json.NewEncoder(out)
	encoder.SetIndent("", "  ")
	return encoder.Encode(v)
}

// Colours of lines.
const (
	plain  = ""
	green  = "\x1b[32m"
	yellow = "\x1b[33m"
	red    = "\x1b[31m"
	reset  = "\x1b[0m"
)

// table is lines of cells that are aligned and, on a terminal, coloured as a whole.
type table struct {
	lines   []string
	colours []string
}

func (t *table) add(colour string, cells ...any) {
	text := make([]string, len(cells))
	for i, c := range cells {
		// What comes from outside may not bring control characters to a terminal, nor tabs to the table.
		text[i] = strings.Map(printable, fmt.Sprint(c))
	}
	t.lines, t.colours = append(t.lines, strings.Join(text, "\t")), append(t.colours, colour)
}

func printable(r rune) rune {
	if r < ' ' || r >= 0x7f && r < 0xa0 {
		return ' '
	}
	return r
}

// print prints the table.
func (t *table) print(out io.Writer, coloured bool) error {
	var text bytes.Buffer
	w := tabwriter.NewWriter(&text, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, strings.Join(t.lines, "\n"))
	if err := w.Flush(); err != nil {
		return err
	}
	lines := strings.Split(strings.TrimSuffix(text.String(), "\n"), "\n")
	for i, line := range lines {
		line = strings.TrimRight(line, " ")
		if coloured && t.colours[i] != plain {
			line = t.colours[i] + line + reset
		}
		if _, err := fmt.Fprintln(out, line); err != nil {
			return err
		}
	}
	return nil
}

// coloured reports whether what goes to standard output is coloured.
func (e environment) coloured() bool {
	return e.outIsTerminal && e.get("NO_COLOR", "") == "" && e.get("TERM", "") != "dumb"
}
