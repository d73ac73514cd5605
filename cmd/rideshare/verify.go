package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"rideshare/client"
)

func newVerify(o *operator) *cobra.Command {
	var timeout time.Duration
	cmd := &cobra.Command{
		Use:   "verify",
		Short: "Compare the checksums of all replicas at one position",
		Long: `Compare the checksums of all replicas at one position. Two replicas that hold the same have the same
one; it covers the data, the sequences and the stored replies.

While others write, the replicas are seldom at one position when they are asked: it is tried again
until --timeout. Exit code 0: all are the same. 3: two of them differ. 1: there was no position at
which all of them could be compared.`,
		Example: "  rideshare verify\n  rideshare verify --timeout 2m -o json",
		Args:    cobra.NoArgs,
	}
	output := outputFlag(cmd)
	durationFlag(cmd.Flags(), &timeout, "timeout", 30*time.Second, time.Millisecond, "how long to try")
	cmd.RunE = o.with(func(cmd *cobra.Command, _ []string, c *client.Client) error {
		ctx, cancel := context.WithTimeout(cmd.Context(), timeout)
		defer cancel()
		v, err := verify(ctx, c)
		if err != nil {
			return err
		}
		if *output == asJSON {
			err = printJSON(o.out, v)
		} else {
			err = o.printVerification(v)
		}
		if err == nil && !v.Equal {
			err = errFound
		}
		return err
	})
	return cmd
}

// verification is what was found.
type verification struct {
	Equal     bool              `json:"equal"`
	Seq       int64             `json:"seq"` // the second part of the position
	Checksums map[string]string `json:"checksums"`
}

// verifyPause is between two looks at replicas that are at different positions.
const verifyPause = 20 * time.Millisecond

// verify asks for checksums until all workers have been seen at one position, or two of them with
// different checksums at one.
func verify(ctx context.Context, c *client.Client) (verification, error) {
	seen := map[int64]map[string]string{} // the checksums of workers, by position
	last := "no worker is there"
	for {
		sums, err := c.DBChecksums(ctx)
		if err != nil && ctx.Err() == nil {
			return verification{}, err
		}
		var failed bool
		for _, s := range sums {
			if failed = failed || s.Error != ""; s.Error != "" {
				last = s.Worker + ": " + s.Error
				continue
			}
			if seen[s.Seq] == nil {
				seen[s.Seq] = map[string]string{}
			}
			seen[s.Seq][s.Worker] = s.Checksum
		}
		for seq, at := range seen {
			if differ(at) || !failed && len(sums) > 0 && covers(at, sums) {
				return verification{Equal: !differ(at), Seq: seq, Checksums: at}, nil
			}
		}
		if len(sums) > 0 && !failed {
			last = "they were never at the same position: others are writing"
		}
		select {
		case <-time.After(verifyPause):
		case <-ctx.Done():
			return verification{}, fmt.Errorf("not all replicas could be compared: %s", last)
		}
	}
}

// differ reports whether two of the checksums do.
func differ(at map[string]string) bool {
	var first string
	for _, sum := range at {
		if first == "" {
			first = sum
		}
		if sum != first {
			return true
		}
	}
	return false
}

// covers reports whether all workers are among those seen at a position.
func covers(at map[string]string, sums []client.Checksum) bool {
	for _, s := range sums {
		if _, ok := at[s.Worker]; !ok {
			return false
		}
	}
	return true
}

func (o *operator) printVerification(v verification) error {
	if v.Equal {
		fmt.Fprintf(o.out, "all %d replicas are the same at entry %d\n\n", len(v.Checksums), v.Seq)
	} else {
		fmt.Fprintf(o.out, "replicas DIFFER at entry %d: rebuild the one that is alone, by removing its database\n\n", v.Seq)
	}
	var t table
	t.add(plain, "WORKER", "CHECKSUM")
	for _, id := range sortedKeys(v.Checksums) {
		t.add(plain, id, v.Checksums[id])
	}
	return t.print(o.out, o.coloured())
}
