package rides

import (
	"time"
	_ "time/tzdata" // time zones also where the system has none, as in a container from scratch

	"rideshare/internal/httpapi"
)

// layout is DD-MM-YYYY:SS-MM-HH.
const layout = "02-01-2006:05-04-15"

// parseTimestamp reads a timestamp. A local time that daylight saving skips does not exist, as the
// 31st of February does not; of one that it repeats, it is one of the two.
func parseTimestamp(s string, loc *time.Location) (time.Time, error) {
	t, err := time.ParseInLocation(layout, s, loc)
	// time.Parse also takes "5" for an hour and fractions of seconds, and moves skipped times: only
	// what comes out as it went in was what was meant.
	if err != nil || t.Format(layout) != s {
		return time.Time{}, httpapi.BadRequest("timestamp", "must be a date and time that exist in %s, as DD-MM-YYYY:SS-MM-HH", loc)
	}
	t = t.UTC()
	if t.Year() < 1000 || t.Year() > 9999 {
		return time.Time{}, httpapi.BadRequest("timestamp", "must lie in the years 1000 to 9999")
	}
	return t, nil
}

func (f *function) timestamp(t time.Time) string { return t.In(f.Location).Format(layout) }
