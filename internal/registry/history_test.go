package registry_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"rideshare/internal/cluster"
	"rideshare/internal/registry"
)

func TestAddRecord(t *testing.T) {
	var history []cluster.Record
	for i := range registry.KeptRecords + 10 {
		history = registry.AddRecord(history, cluster.Record{ID: fmt.Sprint(i), What: "a"})
		history = registry.AddRecord(history, cluster.Record{ID: fmt.Sprint(i), What: "b"})
	}
	if len(history) != registry.KeptRecords || history[0].ID != fmt.Sprint(registry.KeptRecords+9) || history[0].What != "a" {
		t.Errorf("%d records, the newest is %+v", len(history), history[0])
	}
}

// ZooKeeper refuses a node of more than 1 MiB.
func TestTheLongestHistoryFitsIntoANode(t *testing.T) {
	var history []cluster.Record
	long := strings.Repeat("<", 1000) // six bytes of JSON each
	for i := range registry.KeptRecords {
		history = registry.AddRecord(history, cluster.Record{ID: fmt.Sprint(i), Who: long, Token: "12345678", From: "2001:db8::1", What: strings.Repeat("Ü", 1000), Result: long})
	}
	text, err := json.Marshal(history)
	if err != nil || len(text) >= 1<<20 {
		t.Errorf("%d bytes, %v", len(text), err)
	}
	if !utf8.ValidString(history[0].What) || len(history[0].What) > 300 {
		t.Errorf("%q", history[0].What)
	}
}
