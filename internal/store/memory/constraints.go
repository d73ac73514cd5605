package memory

import (
	"iter"

	"rideshare/internal/db"
)

// put adds a row, in place of the one with that key.
func (d *data) put(t *db.Table, r row) { d.rows[t.Name] = d.rows[t.Name].put(keyOf(t, r), r) }

// replace puts new rows in place of old ones. Where that breaks a constraint it returns which kind,
// and what it has done so far is to be thrown away.
func (d *data) replace(t *db.Table, old, with []row) db.Kind {
	for _, r := range old {
		d.rows[t.Name] = d.rows[t.Name].remove(keyOf(t, r))
	}
	for _, r := range with {
		if d.rows[t.Name].get(keyOf(t, r)) != nil {
			return db.Duplicate
		}
		d.put(t, r)
	}
	for _, r := range with {
		for _, ref := range t.References {
			if d.rows[ref.Table].get(keyTo(r[columnOf(t, ref.Column)])) == nil {
				return db.ForeignKey
			}
		}
	}
	var gone []row
	for _, r := range old {
		if d.rows[t.Name].get(keyOf(t, r)) == nil {
			gone = append(gone, r)
		}
	}
	for range d.referring(t, gone) {
		return db.ForeignKey
	}
	return ""
}

// remove removes rows, and those that refer to them.
func (d *data) remove(t *db.Table, rows []row) {
	for _, r := range rows {
		d.rows[t.Name] = d.rows[t.Name].remove(keyOf(t, r))
	}
	for child, referring := range d.referring(t, rows) {
		d.remove(child, referring)
	}
}

// referring yields the tables with rows that refer to one of these, and those rows.
func (d *data) referring(t *db.Table, rows []row) iter.Seq2[*db.Table, []row] {
	return func(yield func(*db.Table, []row) bool) {
		if len(rows) == 0 {
			return
		}
		keys := map[any]bool{}
		for _, r := range rows {
			keys[r[columnOf(t, t.Key[0])]] = true
		}
		for i := range db.Tables {
			child := &db.Tables[i]
			for _, ref := range child.References {
				if ref.Table != t.Name {
					continue
				}
				column := columnOf(child, ref.Column)
				found := d.matching(child, func(r row) bool { return keys[r[column]] })
				if len(found) > 0 && !yield(child, found) {
					return
				}
			}
		}
	}
}

func (d *data) matching(t *db.Table, match func(row) bool) []row {
	var found []row
	for _, r := range d.rows[t.Name].all() {
		if match(r) {
			found = append(found, r)
		}
	}
	return found
}
