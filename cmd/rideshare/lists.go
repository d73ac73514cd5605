package main

import (
	"fmt"

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
