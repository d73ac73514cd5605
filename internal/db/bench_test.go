package db_test

import (
	"testing"

	"rideshare/internal/db"
)

// BenchmarkDecode measures how long the decoding and checking of a new ride takes, and of a read.
func BenchmarkDecode(b *testing.B) {
	write := []byte(`{"ops":[{"insert":"rides","values":{"created_by":"alice","departs_at":"2026-12-25T08:30:00Z","destination":2,"ride_id":{"$next":"rides"},"source":1}}]}`)
	read := []byte(`{"queries":[{"table":"rides","where":[{"column":"ride_id","op":"=","value":7}]}],"consistency":"session","after":"1.2"}`)
	b.Run("Write", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := db.DecodeQueued(write); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("Read", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := db.DecodeRead(read); err != nil {
				b.Fatal(err)
			}
		}
	})
}
