package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync/atomic"

	"github.com/spf13/cobra"

	"rideshare/client"
	"rideshare/internal/backup"
	"rideshare/internal/db"
)

func newRestore(o *operator) *cobra.Command {
	var force bool
	cmd := &cobra.Command{
		Use:   "restore FILE",
		Short: "Bring a backup back in",
		Long: `Bring a backup back in. Before anything is changed, the file's checksum is checked, and that its rows fit each
other. At the end the content of the system is compared with the file's.

The rows come in as ordinary writes, with the numbers they had, and every number handed out later is
larger. A system that holds data is left alone, unless --force says to delete that first. Others
should not write meanwhile: what they write makes the comparison at the end fail.

A restore that was interrupted leaves a part of the backup behind: run it again with --force.

FILE "-" is standard input. What comes from there, or from anything else that can be read only once,
is first kept in a private temporary file (TMPDIR), since all of it is checked before anything is changed.`,
		Example: "  rideshare restore rides.backup\n  rideshare restore --force rides.backup\n  gunzip -c rides.backup.gz | rideshare restore -",
		Args:    cobra.ExactArgs(1),
	}
	output := outputFlag(cmd)
	cmd.Flags().BoolVar(&force, "force", false, "delete everything that the system holds first")
	cmd.RunE = o.with(func(cmd *cobra.Command, args []string, c *client.Client) error {
		if args[0] == standard && o.inIsTerminal {
			return usagef("standard input is a terminal: redirect it, or name a file")
		}
		result, err := (&restorer{operator: o, client: c, name: args[0], force: force}).run(cmd.Context())
		if err != nil {
			return err
		}
		if *output == asJSON {
			return printJSON(o.out, result)
		}
		_, err = fmt.Fprintf(o.out, "%d rows of position %s are restored, in %.1f s; the content is the same:\n%s\n",
			result.Rows, result.Position, result.Seconds, result.Content)
		return err
	}, client.WithPatience(longPatience))
	return cmd
}

// restoreResult is what restore prints as JSON.
type restoreResult struct {
	Rows     int64   `json:"rows"`
	Position string  `json:"position"` // of the backup
	Content  string  `json:"content"`
	Seconds  float64 `json:"seconds"`
}

type restorer struct {
	*operator
	client *client.Client
	name   string // of the file
	force  bool

	source    *source
	header    backup.Header
	trailer   backup.Trailer
	sequences db.Sequences
	restored  atomic.Int64
}

func (r *restorer) run(ctx context.Context) (restoreResult, error) {
	// Opening a pipe, or reading one, may take for ever.
	source, err := interruptible(ctx, r.check)
	if err != nil {
		return restoreResult{}, fmt.Errorf("%w; nothing was changed", err)
	}
	r.source = source
	defer source.Close() //nolint:errcheck // it is only read
	if err := r.makeRoom(ctx); err != nil {
		return restoreResult{}, err
	}
	bar := r.progress("restoring", r.trailer.Rows)
	err = r.load(ctx, bar)
	took := bar.end()
	if err == nil {
		err = r.compare(ctx)
	}
	if err != nil {
		return restoreResult{}, r.incomplete(ctx, err)
	}
	return restoreResult{Rows: r.trailer.Rows, Position: r.header.Position.String(), Content: r.trailer.Content, Seconds: seconds(took)}, nil
}

// incomplete says of an error how much of the backup has come in before it.
func (r *restorer) incomplete(ctx context.Context, err error) error {
	return fmt.Errorf("the restore is not complete: %d of %d rows came in. Run it again with --force: %w",
		r.restored.Load(), r.trailer.Rows, unlessInterrupted(ctx, err))
}

// check reads the whole backup before anything is changed.
func (r *restorer) check() (*source, error) {
	source, err := r.openSource(r.name)
	if err != nil {
		return nil, err
	}
	if err := r.read(source); err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", source.name, err), source.Close())
	}
	return source, nil
}

func (r *restorer) read(source *source) error {
	bar := r.progress("checking", 0)
	defer bar.end()
	in, err := backup.NewReader(source.first)
	if err != nil {
		return err
	}
	r.header = in.Header
	look := newInspector()
	r.trailer, err = in.Read(
		func(op db.Op) error { bar.add(1); return look.row(op) },
		func(s db.Sequences) error {
			if r.sequences = s; s == nil {
				r.sequences = db.Sequences{}
			}
			return look.sequences(r.sequences)
		},
	)
	if err == nil && look.unusable > 0 {
		fmt.Fprintf(r.err, "rideshare: %d users have names that the API does not take, as %q: nobody can sign in as one of them\n", look.unusable, look.example)
	}
	return err
}

// makeRoom refuses a system that holds data, or empties it.
func (r *restorer) makeRoom(ctx context.Context) error {
	request := client.ReadRequest{Consistency: string(db.Strong)}
	for _, t := range db.Tables {
		request.Queries = append(request.Queries, client.Query{Table: t.Name, Count: true})
	}
	result, err := r.client.DBRead(ctx, request)
	if err != nil {
		return fmt.Errorf("%w; nothing was changed", unlessInterrupted(ctx, err))
	}
	var rows int64
	var held string
	for i, q := range result.Results {
		if q.Count != nil && i < len(db.Tables) {
			rows += *q.Count
			held += fmt.Sprintf(" %d %s", *q.Count, db.Tables[i].Name)
		}
	}
	switch {
	case rows == 0:
		return nil
	case !r.force:
		return fmt.Errorf("the system holds data (%s): --force deletes it first; nothing was changed", held[1:])
	}
	if err := r.client.DBClear(ctx); err != nil {
		return r.incomplete(ctx, err) // it may have been emptied
	}
	return nil
}

// compare compares what the system holds now with the backup.
func (r *restorer) compare(ctx context.Context) error {
	stream, err := r.client.DBSnapshot(ctx)
	if err != nil {
		return err
	}
	defer stream.Close() //nolint:errcheck // nothing is written to it
	bar := r.progress("comparing", r.trailer.Rows)
	defer bar.end()
	in, err := backup.NewReader(io.TeeReader(stream, &counter{Writer: io.Discard, bar: bar}))
	if err != nil {
		return err
	}
	in.ContentAt(r.header.Schema)
	end, err := in.Read(nil, func(now db.Sequences) error {
		for name, value := range r.sequences {
			if now[name] < value {
				return fmt.Errorf("the sequence %s is at %d, not at %d", name, now[name], value)
			}
		}
		return nil
	})
	if err == nil && end.Content != r.trailer.Content {
		err = errors.New("the system holds something else than the backup: did somebody write meanwhile?")
	}
	return err
}
