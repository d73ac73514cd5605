package rabbitmq

import "time"

const (
	// firstDoubt is how many AnswerTimeouts callers wait without any reply before their session is
	// given up, and their requests are published again.
	firstDoubt = 2
	// mostDoubt bounds its doubling: where nobody serves, publishing again helps nobody.
	mostDoubt = 16
)

// doubt counts for how long calls have waited without any reply. Where one node of several was cut
// off, replies may have been dropped on their way, and nothing else tells. It is the supervisor's.
type doubt struct {
	limit int    // ticks until the session is given up
	ticks int    // since the last reply, with a call waiting throughout
	seen  uint64 // replies
}

// grown notes another tick and reports whether the session is to be given up.
func (d *doubt) grown(replies uint64, waiting bool) bool {
	if d.limit == 0 || replies != d.seen {
		d.limit = firstDoubt
	}
	if replies != d.seen || !waiting {
		d.seen, d.ticks = replies, 0
		return false
	}
	if d.ticks++; d.ticks < d.limit {
		return false
	}
	d.ticks, d.limit = 0, min(2*d.limit, mostDoubt)
	return true
}

// doubts reports whether the session is to be given up because no reply comes through it. It is
// called once in an AnswerTimeout.
func (b *Bus) doubts(s *session) bool {
	waiting := b.calls.waitingSince(time.Now().Add(-b.broker.AnswerTimeout()))
	return s.callable.Load() && b.doubt.grown(b.calls.answered(), waiting)
}
