package db

import (
	"maps"
	"time"
)

// Sequences are the numbers last handed out, by sequence.
type Sequences map[string]int64

// Resolve replaces every $next and $now in w by its value and advances seqs. It returns the ops
// as they go to the log, and the resolved values of each op for its result. w is not changed.
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
