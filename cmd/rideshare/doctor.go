package main

import (
	"errors"
	"time"

	"github.com/spf13/cobra"
)

// doctorWait is between the two looks that tell a slave that is stuck from one that is behind: longer
// than the second for which a worker's position in the registry may be old.
const doctorWait = 3 * time.Second

func newDoctor(o *operator) *cobra.Command {
	d := &doctor{operator: o}
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Look at each part, and say what is wrong and what to do",
		Long: `Look at each part, and say what is wrong and what to do. It looks from outside, through --url; for a
system on this machine also at the disk and, where a Docker engine answers, at the containers of the
project COMPOSE_PROJECT_NAME (rideshare).

It writes nothing but an empty transaction. Exit code 0: nothing is wrong. 3: something is.`,
		Example: "  rideshare doctor\n  rideshare doctor -o json | jq '.[] | select(.state == \"fault\")'",
		Args:    cobra.NoArgs,
	}
	output := outputFlag(cmd)
	durationFlag(cmd.Flags(), &d.wait, "wait", doctorWait, 0, "how long to watch whether slaves move")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if o.local() {
			d.engine = dockerCLI{project: o.get("COMPOSE_PROJECT_NAME", "rideshare")}
		}
		seen, err := d.observe(cmd.Context())
		if err != nil {
			return err
		}
		findings := diagnose(seen)
		if *output == asJSON {
			err = printJSON(o.out, findings)
		} else {
			err = o.printFindings(findings)
		}
		for _, f := range findings {
			if f.State == fault {
				err = errors.Join(err, errFound)
				break
			}
		}
		return err
	}
	return cmd
}

// condition is how a part is.
type condition string

const (
	well    condition = "ok"
	fault   condition = "fault"
	unknown condition = "unknown" // what it needs to be seen is missing
)

// finding is what was found about a part.
type finding struct {
	Part  string    `json:"part"`
	State condition `json:"state"`
	Found string    `json:"found"`
	Do    string    `json:"do,omitempty"`
}

func (o *operator) printFindings(findings []finding) error {
	var t table
	t.add(plain, "PART", "STATE", "FOUND")
	for _, f := range findings {
		colour := map[condition]string{well: green, fault: red, unknown: yellow}[f.State]
		t.add(colour, f.Part, f.State, f.Found)
		if f.Do != "" {
			t.add(colour, "", "", "-> "+f.Do)
		}
	}
	return t.print(o.out, o.coloured())
}
