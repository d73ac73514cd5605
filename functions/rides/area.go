package rides

import (
	"bytes"
	"encoding/json"
	"strconv"

	"github.com/danielgtaylor/huma/v2"

	"rideshare/internal/httpapi"
)

// area is the number of an area as a caller writes it: a JSON number, a numeric string or a query
// parameter. It is read by function.area.
type area string

// UnmarshalJSON implements json.Unmarshaler. What is neither number nor string is kept as it is,
// and found out by function.area, which knows the field.
func (a *area) UnmarshalJSON(data []byte) error {
	if bytes.HasPrefix(data, []byte(`"`)) {
		return json.Unmarshal(data, (*string)(a))
	}
	*a = area(data)
	return nil
}

// Schema implements huma.SchemaProvider. The alternatives stand where huma does not look, whose
// message would be that one of two schemas has to match.
func (area) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{
		Description: "Number of an area, from 1: a JSON number or a numeric string",
		Examples:    []any{12},
		Extensions: map[string]any{"oneOf": []map[string]any{
			{"type": "integer", "minimum": 1},
			{"type": "string", "pattern": "^[0-9]+$"},
		}},
	}
}

// area reads the number of an area.
func (f *function) area(field string, a area) (int64, error) {
	n, err := strconv.ParseUint(string(a), 10, 63)
	if err != nil || n < 1 || int64(n) > f.Areas {
		return 0, httpapi.BadRequest(field, "must be a whole number from 1 to %d", f.Areas)
	}
	return int64(n), nil
}
