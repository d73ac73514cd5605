package orchestrator

import (
	"reflect"

	"github.com/danielgtaylor/huma/v2"

	"rideshare/internal/db"
)

// passed is a result that is documented as a T, and passed on as the worker has encoded it: decoding a long
// list would keep a processor from all other requests.
type passed[T any] struct{ *db.Results }

// Schema implements huma.SchemaProvider.
func (passed[T]) Schema(r huma.Registry) *huma.Schema {
	return r.Schema(reflect.TypeFor[T](), true, "")
}

// The types of the rest of this file describe the database request language in the API's document. Requests
// are decoded by package db, whose own types are freer than what a caller may send.

// writeRequest is a transaction.
type writeRequest struct {
	Ops []writeOp `json:"ops" nullable:"false" minItems:"1" maxItems:"1000" doc:"All happen, or none" example:"[{\"insert\":\"rides\",\"values\":{\"ride_id\":{\"$next\":\"rides\"},\"created_by\":\"alice\",\"source\":12,\"destination\":34,\"departs_at\":\"2026-12-25T08:30:00Z\"}}]"`
}

// writeOp has exactly one of insert, update, delete, check and advance.
type writeOp struct {
	Insert  string         `json:"insert,omitempty" enum:"users,rides,riders" doc:"Table to insert values into" example:"rides"`
	Update  string         `json:"update,omitempty" enum:"users,rides,riders" doc:"Table in which to set columns of the rows that match where"`
	Delete  string         `json:"delete,omitempty" enum:"users,rides,riders" doc:"Table to delete the rows that match where from"`
	Check   string         `json:"check,omitempty" enum:"users,rides,riders" doc:"Table in which to count the rows that match where"`
	Advance string         `json:"advance,omitempty" enum:"users,rides,riders" doc:"Sequence that hands out no number up to to any more; one that is further stays"`
	To      int64          `json:"to,omitempty" minimum:"1" maximum:"9007199254740991" doc:"Where to advance the sequence" example:"1000"`
	Values  map[string]any `json:"values,omitempty" doc:"Every column of the row; the account and generation of a user may be missing, and are then random. {\"$next\":\"rides\"} is the next number of that sequence, {\"$now\":true} the master's clock"`
	Set     map[string]any `json:"set,omitempty" doc:"Columns to set, as in values"`
	Where   []condition    `json:"where,omitempty" nullable:"false" doc:"All have to hold; missing: every row"`
	Expect  int64          `json:"expect,omitempty" minimum:"0" doc:"How many rows must match. Required for a check; elsewhere any number may, where it is missing" example:"1"`
}

// condition compares a column with a value.
type condition struct {
	Column string `json:"column" example:"ride_id"`
	Op     string `json:"op" enum:"=,!=,<,<=,>,>=,in" example:"="`
	Value  any    `json:"value" doc:"For in: a list of 1 to 1000 values" example:"7"`
}

// readRequest is one or more queries that see the same snapshot.
type readRequest struct {
	Queries     []query `json:"queries" nullable:"false" minItems:"1" maxItems:"16"`
	Consistency string  `json:"consistency,omitempty" enum:"eventual,session,strong" doc:"How new the data must be: anything, at least after, or every write acknowledged before. Default: session where after is given, else eventual" example:"session"`
	After       string  `json:"after,omitempty" doc:"A position, epoch.seq" example:"3.1024"`
}

// query asks for rows of a table, or for their number.
type query struct {
	Table   string      `json:"table" enum:"users,rides,riders" example:"rides"`
	Columns []string    `json:"columns,omitempty" nullable:"false" doc:"Default: all" example:"[\"ride_id\",\"created_by\"]"`
	Where   []condition `json:"where,omitempty" nullable:"false" doc:"All have to hold; missing: every row"`
	OrderBy []order     `json:"order_by,omitempty" nullable:"false"`
	Limit   int         `json:"limit,omitempty" minimum:"0" doc:"Default: as many as 8 MiB have room for; a larger answer is refused" example:"50"`
	Count   bool        `json:"count,omitempty" doc:"Ask for the number of rows; not with columns, order_by or limit"`
}

// order sorts by a column. It may also be just the column's name.
type order struct {
	Column string `json:"column" example:"departs_at"`
	Desc   bool   `json:"desc,omitempty" doc:"Largest first"`
}
