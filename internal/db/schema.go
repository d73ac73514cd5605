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
}

// Column returns the column of that name.
func (t *Table) Column(name string) (*Column, bool) {
	i := slices.IndexFunc(t.Columns, func(c Column) bool { return c.Name == name })
	if i < 0 {
		return nil, false
	}
	return &t.Columns[i], true
}

// Tables are the tables that requests can name, in an order in which every table comes after
// those it refers to. The statements that create them are the stores' migrations.
var Tables = []Table{
	{
		Name: "users",
		Columns: []Column{
			{Name: "username", Type: Text, Max: 128},
			{Name: "password_hash", Type: Text, Max: 255},
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
	},
}

// LatestMigration is the number of the newest schema change that this program knows.
const LatestMigration = 1

// LookupTable returns the table of that name.
func LookupTable(name string) (*Table, bool) {
	i := slices.IndexFunc(Tables, func(t Table) bool { return t.Name == name })
	if i < 0 {
		return nil, false
	}
	return &Tables[i], true
}
