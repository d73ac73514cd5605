package sqlstore

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strconv"

	"rideshare/internal/db"
	"rideshare/internal/replog"
)

// A snapshot is lines of JSON: a header; for each table a line that names it and its columns, then
// its rows as arrays in the order of the key; and a trailer. Its rows have one form only, written
// here and not by encoding/json, whose form changes from release to release: the checksums of two
// programs have to agree.
const (
	formatName    = "rideshare-snapshot"
	formatVersion = 1
)

type header struct {
	Format  string       `json:"format"`
	Version int          `json:"version"`
	Schema  int          `json:"schema"`
	State   replog.State `json:"state"`
}

func (h header) line() ([]byte, error) {
	data, err := json.Marshal(h)
	return append(data, '\n'), err
}

func tableLine(t *db.Table) []byte {
	line := appendString([]byte(`{"table":`), t.Name)
	line = append(line, `,"columns":[`...)
	for i, c := range t.Columns {
		if i > 0 {
			line = append(line, ',')
		}
		line = appendString(line, c.Name)
	}
	return append(line, "]}\n"...)
}

// trailerLine returns the last line: the number of rows and the SHA-256 of all lines before it.
func trailerLine(rows int64, sum []byte) []byte {
	return fmt.Appendf(nil, "{\"rows\":%d,\"sha256\":\"%x\"}\n", rows, sum)
}

// appendRow appends the line of a row.
func appendRow(line []byte, cells []any) []byte {
	line = append(line, '[')
	for i, cell := range cells {
		if i > 0 {
			line = append(line, ',')
		}
		switch v := cell.(type) {
		case *int64:
			line = strconv.AppendInt(line, *v, 10)
		case *string:
			line = appendString(line, *v)
		case *[]byte:
			line = append(line, '"')
			line = base64.StdEncoding.AppendEncode(line, *v)
			line = append(line, '"')
		}
	}
	return append(line, "]\n"...)
}

// appendString appends a JSON string in which only what has to be is escaped.
func appendString(line []byte, s string) []byte {
	const digits = "0123456789abcdef"
	line = append(line, '"')
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			line = append(line, '\\', c)
		case c < ' ':
			line = append(line, '\\', 'u', '0', '0', digits[c>>4], digits[c&15])
		default:
			line = append(line, c)
		}
	}
	return append(line, '"')
}

// parseRow reads the line of a row into arguments for an insert.
func parseRow(line []byte, t *db.Table) ([]any, error) {
	// The cells are pointers inside of interfaces, into which encoding/json decodes, strictly by
	// their type; a null takes a pointer's place.
	cells := newCells(t.Columns)
	if err := json.Unmarshal(line, &cells); err != nil {
		return nil, err
	}
	if len(cells) != len(t.Columns) {
		return nil, fmt.Errorf("%s has %d columns, not %d", t.Name, len(t.Columns), len(cells))
	}
	for i, cell := range cells {
		switch v := cell.(type) {
		case *int64:
			cells[i] = *v
		case *string:
			cells[i] = *v
		case *[]byte:
			cells[i] = *v
		default:
			return nil, fmt.Errorf("%s.%s is null", t.Name, t.Columns[i].Name)
		}
	}
	return cells, nil
}
