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
	"rideshare/internal/atomicfile"
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
under its name only when it is whole. It holds the users' password hashes: only you can read it.
--force replaces a regular file, and nothing else: no device, no pipe, no symbolic link.

FILE "-" is standard output; what was saved is then told on standard error. If the backup fails, what
was written until then is of no use, and restore refuses it.`,
		Example: "  rideshare backup rides.backup\n  rideshare backup \"rides-$(date +%F).backup\" -o json\n  rideshare backup - | gzip > rides.backup.gz",
		Args:    cobra.ExactArgs(1),
	}
	output := outputFlag(cmd)
	cmd.Flags().BoolVar(&force, "force", false, "replace a regular file that is there")
	cmd.RunE = o.with(func(cmd *cobra.Command, args []string, c *client.Client) error {
		told, verb := o.out, "are in"
		var result backupResult
		var err error
		if args[0] == standard {
			told, verb = o.err, "went to"
			result, err = o.pipe(cmd.Context(), c)
		} else {
			result, err = o.save(cmd.Context(), c, args[0], force)
		}
		if err != nil {
			return err
		}
		if *output == asJSON {
			return printJSON(told, result)
		}
		_, err = fmt.Fprintf(told, "%d rows at position %s %s %s: %.1f MB, in %.1f s\ncontent %s\n",
			result.Rows, result.Position, verb, result.File, float64(result.Bytes)/1e6, result.Seconds, result.Content)
		return err
	}, client.WithPatience(longPatience))
	return cmd
}

// standard is the FILE that stands for standard output or standard input.
const standard = "-"

// pipe writes a backup to standard output.
func (o *operator) pipe(ctx context.Context, c *client.Client) (backupResult, error) {
	if o.outIsTerminal {
		return backupResult{}, usagef("standard output is a terminal: redirect it, or name a file")
	}
	result, err := interruptible(ctx, func() (backupResult, error) { return o.download(ctx, c, o.out) })
	result.File = "standard output"
	return result, err
}

// save writes a backup to a file, whole or not at all.
func (o *operator) save(ctx context.Context, c *client.Client, path string, force bool) (backupResult, error) {
	f, err := atomicfile.Create(ctx, path)
	if err != nil {
		return backupResult{}, refuse(path, err)
	}
	defer f.Discard()
	if _, err := os.Lstat(path); err == nil && !force {
		return backupResult{}, refuse(path, fs.ErrExist) // now, not after the download
	}
	result, err := o.download(ctx, c, f)
	if err != nil {
		return backupResult{}, err
	}
	result.File = path
	return result, refuse(path, f.Commit(force))
}

// refuse says what to do if a backup cannot have this name.
func refuse(path string, err error) error {
	switch {
	case errors.Is(err, fs.ErrExist):
		return fmt.Errorf("%s is there already: --force replaces it", path)
	case errors.Is(err, atomicfile.ErrKind):
		return fmt.Errorf("%w: give another name, or '-' for standard output", err)
	}
	return err
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
