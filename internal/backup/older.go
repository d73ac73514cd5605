package backup

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"hash"

	"rideshare/internal/db"
)

// ContentAt makes Read return the Trailer.Content that the backup would have in an older schema, without
// the columns that were added later. So what was restored from an old backup can be compared with it.
// A schema that is not older changes nothing.
func (r *Reader) ContentAt(schema int) {
	if schema < r.Header.Schema {
		r.older = &older{schema: schema, sum: sha256.New()}
	}
}

// older sums up the lines of tables as they are in an older schema. A nil one does nothing.
type older struct {
	schema int
	sum    hash.Hash
	cells  int // of a row of the table that was begun last
}

func (o *older) content() string { return fmt.Sprintf("%x", o.sum.Sum(nil)) }

func (o *older) begin(t *db.Table) error {
	if o == nil {
		return nil
	}
	t = t.At(o.schema)
	o.cells = len(t.Columns)
	line, err := encodeTable(t)
	o.sum.Write(line)
	return err
}

// add adds a row without its last cells, and with every byte of the others as it is.
func (o *older) add(line []byte) error {
	if o == nil {
		return nil
	}
	var cells []json.RawMessage
	if err := json.Unmarshal(line, &cells); err != nil || len(cells) < o.cells {
		return bad("a row has %d cells and not %d: %v", len(cells), o.cells, err)
	}
	o.sum.Write([]byte{'['})
	for i, cell := range cells[:o.cells] {
		if i > 0 {
			o.sum.Write([]byte{','})
		}
		o.sum.Write(bytes.TrimSpace(cell))
	}
	o.sum.Write([]byte("]\n"))
	return nil
}
