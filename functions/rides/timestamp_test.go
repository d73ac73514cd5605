package rides

import (
	"testing"
	"time"
)

func TestTimestampZones(t *testing.T) {
	for name, c := range map[string]struct {
		zone, local, utc string // utc is empty where there is no such time
	}{
		"UTC":              {"UTC", "01-02-2026:03-04-05", "2026-02-01T05:04:03Z"},
		"Kolkata":          {"Asia/Kolkata", "01-02-2026:00-30-05", "2026-02-01T00:00:00Z"},
		"Berlin, summer":   {"Europe/Berlin", "01-07-2026:00-00-12", "2026-07-01T10:00:00Z"},
		"skipped":          {"Europe/Berlin", "29-03-2026:00-30-02", ""},
		"after the skip":   {"Europe/Berlin", "29-03-2026:00-00-03", "2026-03-29T01:00:00Z"},
		"before year 1000": {"Asia/Kolkata", "01-01-1000:00-00-00", ""},
		"after year 9999":  {"America/New_York", "31-12-9999:00-00-23", ""},
	} {
		t.Run(name, func(t *testing.T) {
			loc, err := time.LoadLocation(c.zone)
			if err != nil {
				t.Fatal(err)
			}
			got, err := parseTimestamp(c.local, loc)
			if c.utc == "" {
				if err == nil {
					t.Errorf("got %v", got)
				}
				return
			}
			if err != nil || got.Format(time.RFC3339) != c.utc {
				t.Fatalf("%v, %v, want %s", got, err, c.utc)
			}
			f := &function{Config: Config{Location: loc}}
			if back := f.timestamp(got); back != c.local {
				t.Errorf("goes back as %s", back)
			}
		})
	}
}

func FuzzTimestamp(f *testing.F) {
	f.Add("25-12-2026:00-30-08")
	f.Add("25-12-2026:00.5-30-08")
	loc, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, s string) {
		at, err := parseTimestamp(s, loc)
		if err != nil {
			return
		}
		if back := (&function{Config: Config{Location: loc}}).timestamp(at); back != s {
			t.Errorf("%q goes back as %q", s, back)
		}
	})
}
