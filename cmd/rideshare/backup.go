package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"

	"github.com/spf13/cobra"

	"rideshare/client"
	"rideshare/internal/backup"
)

// backupResult is what backup prints as JSON.
type backupResult struct {
	File     string  `json:"file"`
	Rows     int64   `json:"rows"`
	Bytes    int64   `json:"bytes"`
	Position string  `json:"position"`
	Content  string  `json:"content"`
	Seconds  float64 `json:"seconds"`
}

func newBackup(o *operator) *cobra.Command {
	var force bool
	cmd := &cobra.Command{
		Use:   "backup FILE",
		Short: "Save a consistent snapshot to a file",
		Long: `Save a consistent snapshot to a file: every row of one position, which holds everything that was
acknowledged before. It is read from a slave, and does not hold up the master.

The file has a checksum, which is checked while it is written and when it comes back in. It appears
under its name only when it is whole. It holds the users' password hashes: only you can read it.`,
		Example: "  rideshare backup rides.backup\n  rideshare backup \"rides-$(date +%F).backup\" -o json",
		Args:    cobra.ExactArgs(1),
	}
	output := outputFlag(cmd)
	cmd.Flags().BoolVar(&force, "force", false, "write over a file that is there")
	cmd.RunE = o.with(func(cmd *cobra.Command, args []string, c *client.Client) error {
		if _, err := os.Lstat(args[0]); !force && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("%s is there already: --force writes over it", args[0])
		}
		result, err := o.save(cmd.Context(), c, args[0])
		if err != nil {
			return err
		}
		if *output == asJSON {
			return printJSON(o.out, result)
		}
		_, err = fmt.Fprintf(o.out, "%d rows at position %s are in %s: %.1f MB, in %.1f s\ncontent %s\n",
			result.Rows, result.Position, result.File, float64(result.Bytes)/1e6, result.Seconds, result.Content)
		return err
	}, client.WithPatience(longPatience))
	return cmd
}

// save writes a backup whole or not at all.
func (o *operator) save(ctx context.Context, c *client.Client, path string) (backupResult, error) {
	f, err := os.OpenFile(path+".partial", os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return backupResult{}, err
	}
	result, err := o.download(ctx, c, f)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(path+".partial", path)
	}
	if err != nil {
		_ = os.Remove(path + ".partial") // it is of no use; the error that counts is the other
		return backupResult{}, err
	}
	result.File = path
	return result, nil
}

// download reads a snapshot, checks it, and writes it to w.
func (o *operator) download(ctx context.Context, c *client.Client, w io.Writer) (backupResult, error) {
	stream, err := c.DBSnapshot(ctx)
	if err != nil {
		return backupResult{}, err
	}
	defer stream.Close() //nolint:errcheck // nothing is written to it
	counted := &counter{Writer: w}
	r, err := backup.NewReader(io.TeeReader(stream, counted))
	if err != nil {
		return backupResult{}, err
	}
	counted.bar = o.progress("backing up", r.Header.Estimate)
	end, err := r.Read(nil, nil)
	took := counted.bar.end()
	if err != nil {
		return backupResult{}, err
	}
	return backupResult{
		Rows: end.Rows, Bytes: counted.bytes, Position: r.Header.Position.String(),
		Content: end.Content, Seconds: seconds(took),
	}, nil
}

func seconds(d time.Duration) float64 { return float64(d.Milliseconds()) / 1000 }

// counter counts the bytes, and for the bar the lines, that go through it.
type counter struct {
	io.Writer
	bytes int64
	bar   *progress // nil: not yet
}

// Write implements io.Writer.
func (c *counter) Write(b []byte) (int, error) {
	n, err := c.Writer.Write(b)
	c.bytes += int64(n)
	if c.bar != nil {
		c.bar.add(int64(bytes.Count(b[:n], []byte("\n"))))
	}
	return n, err
}
