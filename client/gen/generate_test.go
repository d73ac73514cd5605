package main

import (
	"bytes"
	"os"
	"testing"
)

func TestCommittedClientIsUpToDate(t *testing.T) {
	want, err := generate()
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile("../api.gen.go")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("client/api.gen.go does not fit the API any more: run 'go generate ./client'")
	}
}

func TestExported(t *testing.T) {
	for name, want := range map[string]string{
		"rideId": "RideID", "ride_id": "RideID", "db-write": "DBWrite", "duration_ms": "DurationMs",
		"id": "ID", "list-users": "ListUsers", "created_by": "CreatedBy", "readyz": "Readyz",
	} {
		if got := exported(name); got != want {
			t.Errorf("%s becomes %s, not %s", name, got, want)
		}
	}
}
