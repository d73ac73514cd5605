package registry

import (
	"slices"

	"rideshare/internal/cluster"
)

// KeptRecords is how many records of operators' commands are kept.
const KeptRecords = 300

// The longest texts of a record, in bytes: 300 records are less than the 1 MiB that ZooKeeper gives a node.
const (
	maxShort = 128
	maxLong  = 300
)

// AddRecord returns the history, newest first, with a record that is not there yet.
func AddRecord(history []cluster.Record, r cluster.Record) []cluster.Record {
	if slices.ContainsFunc(history, func(other cluster.Record) bool { return other.ID == r.ID }) {
		return history
	}
	for text, most := range map[*string]int{&r.ID: maxShort, &r.Who: maxShort, &r.Token: maxShort, &r.From: maxShort, &r.What: maxLong, &r.Result: maxLong} {
		*text = cut(*text, most)
	}
	history = slices.Insert(slices.Clone(history), 0, r)
	return history[:min(len(history), KeptRecords)]
}

// cut returns at most that many bytes of a text, and no broken character.
func cut(text string, most int) string {
	if len(text) <= most {
		return text
	}
	last := 0
	for i := range text {
		if i > most {
			break
		}
		last = i
	}
	return text[:last]
}
