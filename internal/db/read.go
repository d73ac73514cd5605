package db

import (
	"fmt"
	"slices"
	"time"

	jsonv2 "github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Consistency is how new the data of a read must be.
type Consistency string

const (
	// Eventual reads whatever the replica has.
	Eventual Consistency = "eventual"
	// Session reads a state that covers Read.After.
	Session Consistency = "session"
	// Strong reads a state that covers every write acknowledged before the read began.
	Strong Consistency = "strong"
)

// Read is one or more queries that see the same snapshot.
type Read struct {
	Queries     []Query     `json:"queries"`
	Consistency Consistency `json:"consistency,omitempty"` // default: Session where After is set, else Eventual
	After       Position    `json:"after,omitzero"`
}

// Query asks for rows of a table, or for their number.
type Query struct {
	Table   string      `json:"table"`
	Columns []string    `json:"columns,omitempty"` // default: all
	Where   []Condition `json:"where,omitempty"`
	OrderBy []Order     `json:"order_by,omitempty"`
	Limit   int         `json:"limit,omitempty"` // 0: as many as MaxAnswer has room for
	Count   bool        `json:"count,omitempty"`
}

// Order sorts by a column. Its JSON form may also be just the column's name.
type Order struct {
	Column string `json:"column"`
	Desc   bool   `json:"desc,omitempty"`
}

// UnmarshalJSONFrom implements json.UnmarshalerFrom of the second version of package json.
func (o *Order) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	if d.PeekKind() == '"' {
		*o = Order{}
		return jsonv2.UnmarshalDecode(d, &o.Column)
	}
	type plain Order
	return jsonv2.UnmarshalDecode(d, (*plain)(o))
}

// Row is one row of a result, by column.
type Row map[string]Value

// Size returns about how many bytes the row takes in an answer, of which there is a limit: MaxAnswer.
func (r Row) Size() int {
	const cell = 24 // beside its text: the column's name, a number or a time
	size := 0
	for _, value := range r {
		text, _ := value.(string)
		size += cell + len(text)
	}
	return size
}

// ErrTooLarge refuses an answer that takes more than MaxAnswer.
func ErrTooLarge() *Error {
	return Errorf(Invalid, "the answer takes more than %d MiB: ask for less of it, with a limit", MaxAnswer>>20)
}

// Text returns a Text column.
func (r Row) Text(column string) string {
	s, _ := r[column].(string)
	return s
}

// Int returns an Integer column.
func (r Row) Int(column string) int64 {
	v, err := integer(r[column])
	if err != nil {
		return 0
	}
	return v.(int64)
}

// Time returns a Time column.
func (r Row) Time(column string) time.Time {
	v, err := instant(r[column])
	if err != nil {
		return time.Time{}
	}
	return v.(time.Time)
}

// QueryResult is the answer to one query: Rows, or Count where that was asked.
type QueryResult struct {
	Rows  []Row  `json:"rows,omitzero"`
	Count *int64 `json:"count,omitempty"`
}

// ReadResult is the answer to a read: one result per query, all of the state at Position.
type ReadResult struct {
	Results  []QueryResult `json:"results"`
	Position Position      `json:"position"`
}

// Check validates r against the schema, fills in its defaults and gives its values their types.
// The error is an *Error of kind Invalid that names the field.
func (r *Read) Check() error {
	switch r.Consistency {
	case "":
		r.Consistency = Eventual
		if r.After != (Position{}) {
			r.Consistency = Session
		}
	case Eventual, Session, Strong:
	default:
		return invalid("consistency", "must be eventual, session or strong")
	}
	if len(r.Queries) == 0 || len(r.Queries) > MaxQueries {
		return invalid("queries", "must have 1 to %d queries", MaxQueries)
	}
	for i := range r.Queries {
		if err := r.Queries[i].check(fmt.Sprintf("queries[%d]", i)); err != nil {
			return err
		}
	}
	return nil
}

// Schema returns the lowest schema version that has every column that a checked read names, at least 1.
func (r *Read) Schema() int {
	version := 1
	for _, q := range r.Queries {
		table, ok := LookupTable(q.Table)
		if !ok {
			continue
		}
		need := func(name string) {
			if c, ok := table.Column(name); ok {
				version = max(version, c.Since)
			}
		}
		for _, name := range q.Columns {
			need(name)
		}
		for _, c := range q.Where {
			need(c.Column)
		}
		for _, o := range q.OrderBy {
			need(o.Column)
		}
	}
	return version
}

// Order returns the order in which rows come: by OrderBy, and then by the key. Each column is there once.
func (q *Query) Order(t *Table) []Order {
	var order []Order
	add := func(o Order) {
		if !slices.ContainsFunc(order, func(before Order) bool { return before.Column == o.Column }) {
			order = append(order, o)
		}
	}
	for _, o := range q.OrderBy {
		add(o)
	}
	for _, column := range t.Key {
		add(Order{Column: column})
	}
	return order
}

func (q *Query) check(path string) error {
	table, ok := LookupTable(q.Table)
	if !ok {
		return invalid(path+".table", "there is no table %q", clip(q.Table))
	}
	if q.Limit < 0 {
		return invalid(path+".limit", "must not be negative")
	}
	if q.Count {
		if q.Columns != nil || q.OrderBy != nil || q.Limit != 0 {
			return invalid(path+".count", "goes with no columns, order_by or limit")
		}
		return checkConditions(table, q.Where, path+".where")
	}
	if q.Columns == nil {
		for _, c := range table.Columns {
			q.Columns = append(q.Columns, c.Name)
		}
	}
	if n := len(table.Columns); len(q.Columns) == 0 || len(q.Columns) > n {
		return invalid(path+".columns", "must name 1 to %d columns", n)
	}
	for i, name := range q.Columns {
		if _, ok := table.Column(name); !ok || slices.Contains(q.Columns[:i], name) {
			return invalid(fmt.Sprintf("%s.columns[%d]", path, i), "%q is unknown or named twice", clip(name))
		}
	}
	if len(q.OrderBy) > MaxOrder {
		return invalid(path+".order_by", "must have at most %d columns", MaxOrder)
	}
	for i, o := range q.OrderBy {
		if _, ok := table.Column(o.Column); !ok {
			return invalid(fmt.Sprintf("%s.order_by[%d]", path, i), "table %s has no column %q", table.Name, clip(o.Column))
		}
	}
	return checkConditions(table, q.Where, path+".where")
}
