package db

import "slices"

// Type is the type of a column.
type Type string

const (
	Integer Type = "integer" // int64; on the wire a JSON number without a fraction
	Text    Type = "text"    // UTF-8 without NUL; on the wire a JSON string
	Time    Type = "time"    // UTC, whole microseconds, years 1000 to 9999; on the wire RFC 3339
)

// Column is a column of a table. No column is nullable.
type Column struct {
	Name string
	Type Type
	Max  int // Text: the largest number of characters
	// Since is the number of the migration that added the column; 0: it came with its table. Columns
	// that were added stand behind the others.
	Since int
	// Unique says that an insert may leave the column out: the master then gives the row a random text
	// that no other row has or will have. Rows from before the column was added have the empty text.
	Unique bool
}

// Reference says that a column holds the primary key of another table; deleting the row that is
// referred to deletes the row that refers to it.
type Reference struct {
	Column string
	Table  string
}

// Table is a table of the schema.
type Table struct {
	Name       string
	Columns    []Column
	Key        []string // the primary key
	References []Reference
	Indexes    [][]string // the columns of the other indexes, each of which the key's columns follow
}

// Ordered reports whether an index has the rows that match in that order, so that nothing is to be sorted.
// A column of which the rows have one value makes no difference.
func (t *Table) Ordered(where []Condition, order []Order) bool {
	fixed := func(column string) bool {
		return slices.ContainsFunc(where, func(c Condition) bool { return c.Op == Eq && c.Column == column })
	}
	order = slices.DeleteFunc(slices.Clone(order), func(o Order) bool { return fixed(o.Column) })
	for _, index := range append([][]string{nil}, t.Indexes...) {
		columns := slices.DeleteFunc(slices.Concat(index, t.Key), fixed)
		if len(order) <= len(columns) && !slices.ContainsFunc(order, func(o Order) bool { return o.Desc != order[0].Desc }) &&
			slices.EqualFunc(order, columns[:len(order)], func(o Order, column string) bool { return o.Column == column }) {
			return true
		}
	}
	return false
}

// Column returns the column of that name.
func (t *Table) Column(name string) (*Column, bool) {
	i := slices.IndexFunc(t.Columns, func(c Column) bool { return c.Name == name })
	if i < 0 {
		return nil, false
	}
	return &t.Columns[i], true
}

// At returns the table as it is in a database with that schema version: without the columns that
// later migrations add.
func (t *Table) At(schema int) *Table {
	n := len(t.Columns)
	for n > 0 && t.Columns[n-1].Since > schema {
		n--
	}
	if n == len(t.Columns) {
		return t
	}
	older := *t
	older.Columns = t.Columns[:n:n]
	return &older
}

// TablesAt returns the tables of a database with that schema version, in the order of Tables. Before
// the first migration there are none.
func TablesAt(schema int) []*Table {
	if schema < 1 {
		return nil
	}
	all := make([]*Table, len(Tables))
	for i := range Tables {
		all[i] = Tables[i].At(schema)
	}
	return all
}

// Tables are the tables that requests can name, in an order in which every table comes after
// those it refers to. The statements that create them are the stores' migrations.
var Tables = []Table{
	{
		Name: "users",
		Columns: []Column{
			{Name: "username", Type: Text, Max: 128},
			{Name: "password_hash", Type: Text, Max: 255},
			// Tokens name the account and the generation, so that they end with the account, or with a
			// change of its generation. A name may belong to one account after another.
			{Name: "account", Type: Text, Max: 32, Since: 2, Unique: true},
			{Name: "generation", Type: Text, Max: 32, Since: 2, Unique: true},
		},
		Key: []string{"username"},
	},
	{
		Name: "rides",
		Columns: []Column{
			{Name: "ride_id", Type: Integer},
			{Name: "created_by", Type: Text, Max: 128},
			{Name: "source", Type: Integer},
			{Name: "destination", Type: Integer},
			{Name: "departs_at", Type: Time},
		},
		Key:        []string{"ride_id"},
		References: []Reference{{Column: "created_by", Table: "users"}},
		Indexes:    [][]string{{"source", "destination", "departs_at"}, {"created_by"}},
	},
	{
		Name: "riders",
		Columns: []Column{
			{Name: "ride_id", Type: Integer},
			{Name: "username", Type: Text, Max: 128},
			// A number of the sequence "riders", not a time: two joins in one microsecond, or
			// around a change of master with another clock, still have an order.
			{Name: "joined", Type: Integer},
		},
		Key:        []string{"ride_id", "username"},
		References: []Reference{{Column: "ride_id", Table: "rides"}, {Column: "username", Table: "users"}},
		Indexes:    [][]string{{"username"}},
	},
}

// LatestMigration is the number of the newest schema change that this program knows.
const LatestMigration = 2

// LookupTable returns the table of that name.
func LookupTable(name string) (*Table, bool) {
	i := slices.IndexFunc(Tables, func(t Table) bool { return t.Name == name })
	if i < 0 {
		return nil, false
	}
	return &Tables[i], true
}
