package workers

import (
	"slices"
	"time"

	"rideshare/internal/cluster"
	"rideshare/internal/registry"
)

const (
	// cutOffAfter is after how many times Quiet without a word from the log a worker counts as cut
	// off from it: a follower has asked then, and has tried another node.
	cutOffAfter = 3
	// yieldAfter is after how many times Quiet a worker that leads, or was elected, leaves that to
	// another one. The others have had the time to notice that they are cut off, too.
	yieldAfter = 4
)

// silence returns for how long the worker has had no word from the log: it has read nothing, or
// waits for what it has appended. 0 where it does not check that.
func (w *Worker) silence() time.Duration {
	f := w.following.Load()
	if w.Quiet == 0 || f == nil {
		return 0
	}
	silence := f.Silence()
	if since := w.proposed.Load(); since != nil {
		silence = max(silence, time.Since(*since))
	}
	return silence
}

// cutOff reports whether the worker cannot reach the log.
func (w *Worker) cutOff() bool { return w.silence() > cutOffAfter*w.Quiet }

// standAside leaves reads, and the mastership, to others while this worker is cut off from the log
// and another one is not. Where all are cut off, nobody could do better: a broker that restarts
// changes nothing.
func (w *Worker) standAside(v view, self registry.Member, members []registry.Member) {
	aside := self.CutOff && slices.ContainsFunc(members, func(m registry.Member) bool {
		return m.ID != w.ID && (m.State == cluster.Serving || m.State == cluster.Following && m.AtEnd) && !m.CutOff
	})
	switch {
	case aside && !v.Aside:
		w.Logger.Warn("cut off from the log, which others can reach: leaving reads and the mastership to them", "silence", w.silence())
	case !aside && v.Aside:
		w.Logger.Info("no longer cut off from the log, or all are")
	}
	if aside != v.Aside {
		w.status.update(func(v *view) { v.Aside = aside })
	}
	if !aside {
		w.asideSince = time.Now()
	}
	// When a broker comes back, some workers hear of it a moment before others.
	if time.Since(w.asideSince) > w.Quiet/2 && v.Elected > 0 && w.silence() > yieldAfter*w.Quiet {
		select {
		case w.yields <- struct{}{}:
		default:
		}
	}
}
