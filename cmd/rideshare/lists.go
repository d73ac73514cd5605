package main

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"rideshare/client"
)

func newWorkers(o *operator) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "workers",
		Short:   "List the workers",
		Example: "  rideshare workers\n  rideshare workers -o json | jq -r '.[] | select(.role == \"slave\") | .id'",
		Args:    cobra.NoArgs,
	}
	output := outputFlag(cmd)
	cmd.RunE = o.with(func(cmd *cobra.Command, _ []string, c *client.Client) error {
		t, err := c.GetCluster(cmd.Context())
		if err != nil {
			return err
		}
		if *output == asJSON {
			return printJSON(o.out, t.Workers)
		}
		return o.printWorkers(t.Workers)
	})
	return cmd
}

func newHistory(o *operator) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "history",
		Short: "List what operators have done, the newest first",
		Long: "List what operators have done, the newest first: every command that changes the cluster or touches the data,\n" +
			"with who gave it (RIDESHARE_OPERATOR, by default user@host: nobody checks it), the first digits of the SHA-256 of\n" +
			"the token that it came with, and its address. The last 300 are kept.",
		Example: "  rideshare history\n  rideshare history --limit 300 -o json",
		Args:    cobra.NoArgs,
	}
	output := outputFlag(cmd)
	var limit int
	wholeFlag(cmd.Flags(), &limit, "limit", 20, 300, "how many")
	cmd.RunE = o.with(func(cmd *cobra.Command, _ []string, c *client.Client) error {
		records, err := c.GetHistory(cmd.Context(), client.GetHistoryQuery{Limit: int64(limit)})
		switch {
		case err != nil:
			return err
		case *output == asJSON:
			return printJSON(o.out, records)
		case len(records) == 0:
			_, err := fmt.Fprintln(o.out, "operators have done nothing yet")
			return err
		}
		t := table{}
		t.add(plain, "AT", "WHO", "TOKEN", "FROM", "WHAT", "RESULT")
		for _, r := range records {
			colour := plain
			if strings.HasPrefix(r.Result, "failed") {
				colour = yellow
			}
			t.add(colour, r.At.Local().Format(time.DateTime), dash(r.Who), dash(r.Token), dash(r.From), r.What, r.Result)
		}
		return t.print(o.out, o.coloured())
	})
	return cmd
}

// dash stands for a cell without a value.
func dash(text string) string { return cmp.Or(text, "-") }

func newRecoveries(o *operator) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "recoveries",
		Short:   "List what was put right, the newest first",
		Example: "  rideshare recoveries\n  rideshare recoveries -o json",
		Args:    cobra.NoArgs,
	}
	output := outputFlag(cmd)
	cmd.RunE = o.with(func(cmd *cobra.Command, _ []string, c *client.Client) error {
		t, err := c.GetCluster(cmd.Context())
		switch {
		case err != nil:
			return err
		case *output == asJSON:
			return printJSON(o.out, t.Recoveries)
		case len(t.Recoveries) == 0:
			_, err := fmt.Fprintln(o.out, "nothing had to be put right")
			return err
		default:
			return o.printRecoveries(t.Recoveries)
		}
	})
	return cmd
}
