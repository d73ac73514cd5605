package main

import (
	"fmt"
	"strings"
	"time"

	"rideshare/internal/db"
	"rideshare/internal/username"
)

// inspector checks what a backup says against itself, before a restore deletes anything: each row may be well
// formed, and the system refuse it all the same.
type inspector struct {
	keys     map[string]map[any]struct{} // of the rows that others refer to, by table
	highest  db.Sequences                // the largest numbers that rows have, of those that sequences hand out
	last     map[string][]any            // the key of the last row, by table
	unusable int64                       // users whom the API cannot name
	example  string                      // one of them
}

func newInspector() *inspector {
	return &inspector{keys: map[string]map[any]struct{}{"users": {}, "rides": {}}, last: map[string][]any{}, highest: db.Sequences{}}
}

// numbers are the sequences that hand out the numbers of columns.
var numbers = map[string]string{"rides.ride_id": "rides", "riders.joined": "riders"}

// row checks a row: those that it refers to came before, and its key comes after the last one's, as in every
// backup, so that none is there twice.
func (i *inspector) row(op db.Op) error {
	t, ok := db.LookupTable(op.Insert)
	if !ok {
		return fmt.Errorf("there is no table %q", op.Insert)
	}
	for column, value := range op.Values {
		switch v := value.(type) {
		case int64:
			if sequence, ok := numbers[t.Name+"."+column]; ok && v <= db.MaxAdvance {
				i.highest[sequence] = max(i.highest[sequence], v)
			}
		case string, time.Time:
		default: // as {"$now":true}, which is worth something else each time
			return fmt.Errorf("%s: the value of %s is %v", t.Name, column, value)
		}
	}
	var key []any
	for _, column := range t.Key {
		key = append(key, op.Values[column])
	}
	if before := i.last[t.Name]; before != nil && compareKeys(before, key) >= 0 {
		return fmt.Errorf("%s: the row %v stands behind %v", t.Name, key, before)
	}
	i.last[t.Name] = key
	if keys, ok := i.keys[t.Name]; ok {
		keys[key[0]] = struct{}{}
	}
	for _, r := range t.References {
		if _, ok := i.keys[r.Table][op.Values[r.Column]]; !ok {
			return fmt.Errorf("%s: the row %v refers to %v in %s, which is not there", t.Name, key, op.Values[r.Column], r.Table)
		}
	}
	if name, ok := op.Values["username"].(string); ok && t.Name == "users" && username.Check("username", name) != nil {
		i.unusable++
		i.example = name
	}
	return nil
}

// compareKeys compares keys as the databases do: numbers by their size, text by its bytes.
func compareKeys(a, b []any) int {
	for i := range a {
		c := 0
		switch x := a[i].(type) {
		case int64:
			y, _ := b[i].(int64)
			switch {
			case x < y:
				c = -1
			case x > y:
				c = 1
			}
		case string:
			y, _ := b[i].(string)
			c = strings.Compare(x, y)
		}
		if c != 0 {
			return c
		}
	}
	return 0
}

// sequences checks that the system will take them, and lets none hand out again what a row has.
func (i *inspector) sequences(s db.Sequences) error {
	for name, value := range s {
		w := db.Write{Ops: []db.Op{{Advance: name, To: value}}}
		if value == 0 { // it has handed out nothing, and is left as it is
			w.Ops[0].To = 1
		}
		if err := w.Check(); err != nil {
			return fmt.Errorf("the sequence %q is at %d: %w", name, value, err)
		}
	}
	for name, value := range i.highest {
		s[name] = max(s[name], value)
	}
	return nil
}
