package db

import (
	"fmt"
	"maps"
	"slices"
	"time"
)

// Limits of one request; a larger one is Invalid.
const (
	MaxOps     = 1000
	MaxQueries = 16
	MaxInList  = 1000
	// MaxOrder is how many columns one query may order by; no table has as many.
	MaxOrder = 16
	// MaxConditions of one op or query: with full lists, it stays below the number of parameters
	// that SQLite takes in a statement (32,766).
	MaxConditions = 32
	// MaxAnswer is about how many bytes the answer to a read takes at most: replicas have it in memory, several
	// times, and RabbitMQ takes no message of more than 16 MiB.
	MaxAnswer = 8 << 20
	// MaxAdvance is the largest number that a sequence is advanced to: beyond it a JSON number
	// loses digits in many programs.
	MaxAdvance = 1<<53 - 1
)

// Page is how many rows those ask for at a time who want all there are: a replica answers many reads at once.
const Page = 2000

// Write is a transaction: all of its ops happen, or none.
type Write struct {
	Ops []Op `json:"ops"`
}

// Op is one step of a write. Exactly one of Insert, Update, Delete, Check, Advance, Clear and Migrate is
// set.
type Op struct {
	Insert string `json:"insert,omitempty"` // the table to insert Values into
	Update string `json:"update,omitempty"` // the table in which to Set columns of the rows matching Where
	Delete string `json:"delete,omitempty"` // the table to delete the rows matching Where from
	Check  string `json:"check,omitempty"`  // the table in which to count the rows matching Where

	// Advance is the sequence that hands out no number up to To any more. One that is further already
	// stays where it is. A restore needs it, whose rows bring their numbers with them.
	Advance string `json:"advance,omitempty"`
	To      int64  `json:"to,omitempty"`

	// Clear empties every table and restarts every sequence at 1. Internal: not accepted by
	// DecodeWrite.
	Clear bool `json:"clear,omitempty"`
	// Forget is when a Clear was executed: it discards the stored replies, and leaves that time in their place
	// (Reply.Cleared). Resolve sets it. The clears in logs of earlier programs lack it, and discard none.
	Forget time.Time `json:"forget,omitzero"`
	// Migrate applies the schema change of that number. Internal: not accepted by DecodeWrite.
	Migrate int `json:"migrate,omitempty"`

	Values map[string]Value `json:"values,omitempty"`
	Set    map[string]Value `json:"set,omitempty"`
	Where  []Condition      `json:"where,omitempty"`
	// Expect is the number of rows that must match Where. Another number fails the write with
	// Expectation. Required for a check; nil elsewhere means any number.
	Expect *int64 `json:"expect,omitempty"`
}

// Condition compares a column with a value, or for "in" with a list of 1 to MaxInList values.
type Condition struct {
	Column string  `json:"column"`
	Op     Compare `json:"op"`
	Value  Value   `json:"value"`
}

// Compare is a comparison.
type Compare string

// The comparisons. Text is compared by bytes: case counts.
const (
	Eq Compare = "="
	Ne Compare = "!="
	Lt Compare = "<"
	Le Compare = "<="
	Gt Compare = ">"
	Ge Compare = ">="
	In Compare = "in"
)

var compares = []Compare{Eq, Ne, Lt, Le, Gt, Ge, In}

// Rows returns n for Op.Expect.
func Rows(n int64) *int64 { return &n }

// Where is a condition on a column.
func Where(column string, op Compare, value Value) Condition {
	return Condition{Column: column, Op: op, Value: value}
}

// OpResult is the outcome of one op.
type OpResult struct {
	// Rows is the number of rows that were inserted or matched.
	Rows int64 `json:"rows"`
	// Values are the columns that held $next or $now, resolved.
	Values map[string]Value `json:"values,omitempty"`
}

// WriteResult is the outcome of a write, one result per op, and the position at which it is there.
type WriteResult struct {
	Results  []OpResult `json:"results"`
	Position Position   `json:"position"`
}

// Check validates w against the schema and gives its values their types. The error is an *Error
// of kind Invalid that names the field.
func (w *Write) Check() error {
	if len(w.Ops) == 0 {
		return invalid("ops", "must have at least one op")
	}
	if len(w.Ops) > MaxOps {
		return invalid("ops", "must have at most %d ops", MaxOps)
	}
	for i := range w.Ops {
		if err := w.Ops[i].check(fmt.Sprintf("ops[%d]", i)); err != nil {
			return err
		}
	}
	return nil
}

// verb returns which kind of op this is and the table it names.
func (o *Op) verb() (verb, table string, n int) {
	for _, v := range []struct{ verb, table string }{
		{"insert", o.Insert}, {"update", o.Update}, {"delete", o.Delete}, {"check", o.Check},
		{"advance", o.Advance},
	} {
		if v.table != "" {
			verb, table = v.verb, v.table
			n++
		}
	}
	if o.Clear {
		verb = "clear"
		n++
	}
	if o.Migrate > 0 {
		verb = "migrate"
		n++
	}
	return verb, table, n
}

func (o *Op) check(path string) error {
	verb, name, n := o.verb()
	if n != 1 {
		return invalid(path, "must have exactly one of insert, update, delete, check and advance")
	}
	if verb == "clear" || verb == "migrate" {
		return nil
	}
	table, ok := LookupTable(name)
	if !ok {
		return invalid(path+"."+verb, "there is no table %q", clip(name))
	}
	if err := o.checkParts(path, verb); err != nil {
		return err
	}
	if err := checkColumns(table, o.Values, path+".values"); err != nil {
		return err
	}
	if err := checkColumns(table, o.Set, path+".set"); err != nil {
		return err
	}
	if verb == "insert" {
		for _, c := range table.Columns {
			if _, ok := o.Values[c.Name]; !ok && !c.Unique {
				return invalid(path+".values."+c.Name, "is missing")
			}
		}
	}
	return checkConditions(table, o.Where, path+".where")
}

// checkParts checks that an op has the members its verb needs, and no others.
func (o *Op) checkParts(path, verb string) error {
	insert, update, advance := verb == "insert", verb == "update", verb == "advance"
	switch {
	case insert && len(o.Values) == 0:
		return invalid(path+".values", "is missing")
	case !insert && o.Values != nil:
		return invalid(path+".values", "belongs to an insert")
	case update && len(o.Set) == 0:
		return invalid(path+".set", "is missing")
	case !update && o.Set != nil:
		return invalid(path+".set", "belongs to an update")
	case insert && o.Where != nil:
		return invalid(path+".where", "does not belong to an insert")
	case insert && o.Expect != nil:
		return invalid(path+".expect", "does not belong to an insert")
	case verb == "check" && o.Expect == nil:
		return invalid(path+".expect", "is missing")
	case advance && (o.Where != nil || o.Expect != nil):
		return invalid(path, "advance goes with nothing but to")
	case advance && (o.To < 1 || o.To > MaxAdvance):
		return invalid(path+".to", "must be from 1 to %d", int64(MaxAdvance))
	case !advance && o.To != 0:
		return invalid(path+".to", "belongs to an advance")
	case o.Expect != nil && *o.Expect < 0:
		return invalid(path+".expect", "must not be negative")
	}
	return nil
}

func checkColumns(table *Table, values map[string]Value, path string) error {
	// Sorted, so that of several faults always the same one is named.
	for _, name := range slices.Sorted(maps.Keys(values)) {
		column, ok := table.Column(name)
		if !ok {
			return invalid(path+"."+clip(name), "table %s has no such column", table.Name)
		}
		v, err := column.expression(values[name])
		if err != nil {
			return invalid(path+"."+name, "%s", err)
		}
		values[name] = v
	}
	return nil
}

func checkConditions(table *Table, where []Condition, path string) error {
	if len(where) > MaxConditions {
		return invalid(path, "must have at most %d conditions", MaxConditions)
	}
	for i := range where {
		c := &where[i]
		at := fmt.Sprintf("%s[%d]", path, i)
		column, ok := table.Column(c.Column)
		if !ok {
			return invalid(at+".column", "table %s has no column %q", table.Name, clip(c.Column))
		}
		if !slices.Contains(compares, c.Op) {
			return invalid(at+".op", "must be one of %v", compares)
		}
		v, err := column.operand(c.Op, c.Value)
		if err != nil {
			return invalid(at+".value", "%s", err)
		}
		c.Value = v
	}
	return nil
}

// operand converts the right side of a comparison.
func (c *Column) operand(op Compare, raw any) (Value, error) {
	if op != In {
		return c.literal(raw)
	}
	list, ok := raw.([]any)
	if !ok || len(list) == 0 || len(list) > MaxInList {
		return nil, fmt.Errorf("must be a list of 1 to %d values", MaxInList)
	}
	out := make([]any, len(list))
	for i, item := range list {
		v, err := c.literal(item)
		if err != nil {
			return nil, err
		}
		out[i] = v
	}
	return out, nil
}
