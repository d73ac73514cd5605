package memory

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"time"

	"rideshare/internal/db"
)

// row holds a cell for each column, as stored: an int64 (Integer; Time: microseconds since 1970
// UTC) or a string (Text; bytes). It never changes.
type row []any

// blob is the type of a column of bytes, which requests do not have.
const blob db.Type = "blob"

// cellOf returns a value as it is stored. Requests have been checked: what does not fit here is a
// mistake of the program, not of the caller.
func cellOf(c *db.Column, v db.Value) (any, error) {
	switch v := v.(type) {
	case int64:
		if c.Type == db.Integer {
			return v, nil
		}
	case string:
		if c.Type == db.Text {
			return v, nil
		}
	case time.Time:
		if c.Type == db.Time {
			return v.UnixMicro(), nil
		}
	}
	return nil, fmt.Errorf("the request was not checked: %T is no value of column %s", v, c.Name)
}

// valueOf returns a cell as a value of the request language.
func valueOf(c *db.Column, cell any) db.Value {
	if c.Type == db.Time {
		return time.UnixMicro(cell.(int64)).UTC()
	}
	return cell
}

func compareCells(a, b any) int {
	if n, ok := a.(int64); ok {
		return cmp.Compare(n, b.(int64))
	}
	return strings.Compare(a.(string), b.(string))
}

// keyOf returns the primary key of a row, in a form that sorts as the key does.
func keyOf(t *db.Table, r row) string {
	var key []byte
	for _, name := range t.Key {
		key = appendKey(key, r[columnOf(t, name)])
	}
	return string(key)
}

// keyTo returns the primary key of a row of one key column.
func keyTo(cell any) string { return string(appendKey(nil, cell)) }

func appendKey(key []byte, cell any) []byte {
	if n, ok := cell.(int64); ok {
		return binary.BigEndian.AppendUint64(key, uint64(n)^1<<63) // negative ones first
	}
	return append(append(key, cell.(string)...), 0) // the end sorts before every other character
}

// columnOf returns the index of a column, -1 where there is none.
func columnOf(t *db.Table, name string) int {
	return slices.IndexFunc(t.Columns, func(c db.Column) bool { return c.Name == name })
}
