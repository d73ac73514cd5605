package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"rideshare/client"
)

func newCrash(o *operator) *cobra.Command {
	return &cobra.Command{
		Use:       "crash master|slave",
		Short:     "Kill the worker of the master, or of the slave with the highest process id",
		Example:   "  rideshare crash master\n  rideshare crash slave && rideshare status --watch",
		ValidArgs: []string{"master", "slave"},
		Args:      cobra.MatchAll(cobra.ExactArgs(1), cobra.OnlyValidArgs),
		RunE: o.with(func(cmd *cobra.Command, args []string, c *client.Client) error {
			crash := c.CrashMaster
			if args[0] == "slave" {
				crash = c.CrashSlave
			}
			killed, err := crash(cmd.Context())
			if err != nil {
				return err
			}
			for _, pid := range killed {
				fmt.Fprintf(o.out, "killed the %s, process %s\n", args[0], pid)
			}
			return nil
		}),
	}
}

func newSwitchover(o *operator) *cobra.Command {
	return &cobra.Command{
		Use:     "switchover [WORKER]",
		Short:   "Make a slave the master, as planned: no request fails",
		Long:    "Make the slave WORKER the master, or the most advanced slave. No request fails.",
		Example: "  rideshare switchover\n  rideshare switchover p2.1",
		Args:    cobra.MaximumNArgs(1),
		ValidArgsFunction: o.completeWorkers(func(w client.Worker) bool {
			return w.Role == "slave" && w.State == "serving"
		}),
		RunE: o.with(func(cmd *cobra.Command, args []string, c *client.Client) error {
			var request client.Switchover
			if len(args) == 1 {
				request.To = args[0]
			}
			t, err := c.SwitchOver(cmd.Context(), request)
			if err != nil {
				return err
			}
			return o.printTopology(t)
		}),
	}
}

func newScale(o *operator) *cobra.Command {
	return &cobra.Command{
		Use:       "scale N|auto",
		Short:     "Set the number of slaves, or leave it to the autoscaler",
		Example:   "  rideshare scale 3\n  rideshare scale auto",
		Args:      cobra.ExactArgs(1),
		ValidArgs: []string{"auto"},
		RunE: o.with(func(cmd *cobra.Command, args []string, c *client.Client) error {
			count, auto, err := slavesArgument(args[0])
			if err != nil {
				return err
			}
			request := client.Slaves{Auto: auto}
			if !auto {
				request.Count = &count
			}
			t, err := c.SetSlaves(cmd.Context(), request)
			if err != nil {
				return err
			}
			return o.printTopology(t)
		}),
	}
}
