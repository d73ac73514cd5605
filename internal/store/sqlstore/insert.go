package sqlstore

import (
	"context"
	"strings"

	"rideshare/internal/db"
)

// The two ways to add a row; both databases spell them alike.
const (
	insert  = "INSERT"  // fails where the key exists
	replace = "REPLACE" // takes the place of the row with that key, for tables nothing refers to
)

// inserts returns the statements that add rows, which have a value for each column of the table.
func (d *Dialect) inserts(verb string, t *db.Table, rows [][]any) []statement {
	var list []statement
	for size := d.MaxRows; len(rows) > 0; rows = rows[size:] {
		for size > len(rows) {
			size /= 2
		}
		list = append(list, statement{text: insertText(verb, t, size), args: flatten(rows[:size])})
	}
	return list
}

// insert adds rows. Where it returns an error that the dialect can classify, the int is the index
// of the first row that causes one.
func (c *conn) insert(ctx context.Context, t *db.Table, rows [][]any) (int, error) {
	size := c.dialect.MaxRows
	for at := 0; at < len(rows); {
		for size > len(rows)-at {
			size /= 2
		}
		err := c.run(ctx, statement{text: insertText(insert, t, size), args: flatten(rows[at : at+size])})
		switch {
		case err == nil:
			at += size
		case size > 1 && c.dialect.Classify(err) != "":
			size /= 2 // the statement as a whole was undone: halving shows which row it was
		default:
			return at, err
		}
	}
	return 0, nil
}

func insertText(verb string, t *db.Table, rows int) string {
	row := marks(len(t.Columns))
	return verb + " INTO " + quote(t.Name) + " (" + columnList(columnNames(t)) + ") VALUES " +
		strings.Repeat(row+", ", rows-1) + row
}

func flatten(rows [][]any) []any {
	args := make([]any, 0, len(rows)*len(rows[0]))
	for _, row := range rows {
		args = append(args, row...)
	}
	return args
}

// empty deletes all rows of a table.
func empty(t *db.Table) statement { return statement{text: "DELETE FROM " + quote(t.Name)} }
