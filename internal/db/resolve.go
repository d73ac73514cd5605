package db

import (
	"crypto/rand"
	"maps"
	"time"
)

// Sequences are the numbers last handed out, by sequence.
type Sequences map[string]int64

// Resolve replaces every $next and $now in w by its value, advances seqs, and gives inserts the unique
// values that they leave out. It returns the ops as they go to the log, and the values of $next and
// $now of each op for its result. w is not changed.
func Resolve(w Write, seqs Sequences, now time.Time) ([]Op, []map[string]Value) {
	ops := make([]Op, len(w.Ops))
	resolved := make([]map[string]Value, len(w.Ops))
	now = now.UTC().Truncate(time.Microsecond)
	for i, op := range w.Ops {
		if op.Clear {
			clear(seqs)
			op.Forget = now
		}
		if op.Advance != "" {
			seqs[op.Advance] = max(seqs[op.Advance], op.To)
		}
		got := map[string]Value{}
		op.Values = resolve(op.Values, seqs, now, got)
		op.Set = resolve(op.Set, seqs, now, got)
		if table, ok := LookupTable(op.Insert); ok {
			fill(table, op.Values)
		}
		ops[i] = op
		if len(got) > 0 {
			resolved[i] = got
		}
	}
	return ops, resolved
}

func resolve(values map[string]Value, seqs Sequences, now time.Time, got map[string]Value) map[string]Value {
	if values == nil {
		return nil
	}
	out := maps.Clone(values)
	for name, v := range values {
		switch v := v.(type) {
		case Next:
			seqs[string(v)]++
			out[name] = seqs[string(v)]
			got[name] = out[name]
		case Now:
			out[name] = now
			got[name] = now
		}
	}
	return out
}

// fill adds the unique values that an insert leaves out. They are random and not numbers of a sequence:
// a clear or a restore may set a sequence back, and these must not come again.
func fill(table *Table, values map[string]Value) {
	for _, c := range table.Columns {
		if _, given := values[c.Name]; c.Unique && !given {
			values[c.Name] = rand.Text()
		}
	}
}
