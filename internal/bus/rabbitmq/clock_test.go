package rabbitmq

import (
	"testing"
	"time"
)

func TestDeadlinesByOwnClock(t *testing.T) {
	caller := time.UnixMilli(1_800_000_000_000) // the time by the callers' clock when the message comes
	request := func(waited, left time.Duration) part {
		return part{published: caller.Add(-waited), deadline: caller.Add(left)}
	}
	const second, hour = time.Second, time.Hour
	for _, test := range []struct {
		name    string
		ahead   time.Duration // of the consumer's clock
		request []part
		left    []time.Duration // by the consumer's clock
	}{
		{"clocks agree", 0, []part{request(second, 9*second)}, []time.Duration{9 * second}},
		{"it comes a little late", 0, []part{request(10*second, -second/2)}, []time.Duration{-second / 2}},
		{"one of two has expired", 0, []part{request(10*second, -5*second), request(second, 9*second)}, []time.Duration{-5 * second, 9 * second}},
		{"a clock that is a little ahead", 2 * second, []part{request(second, 9*second)}, []time.Duration{7 * second}},
		{"a clock that is a little behind", -2 * second, []part{request(second, 9*second)}, []time.Duration{10 * second}},
		{"a clock that is far ahead", 6 * hour, []part{request(second, 9*second), request(0, second)}, []time.Duration{10 * second, second}},
		{"a clock that is far behind", -6 * hour, []part{request(second, 9*second), request(0, second)}, []time.Duration{10 * second, second}},
		{"a caller who waits without end", 6 * hour, []part{{published: caller}}, []time.Duration{0}},
	} {
		t.Run(test.name, func(t *testing.T) {
			now := caller.Add(test.ahead)
			byOwnClock(test.request, now)
			for i, p := range test.request {
				if p.deadline.IsZero() {
					if test.left[i] != 0 {
						t.Errorf("request %d has no deadline any more", i)
					}
					continue
				}
				if left := p.deadline.Sub(now); left != test.left[i] {
					t.Errorf("request %d: %v are left, want %v", i, left, test.left[i])
				}
			}
		})
	}
}
