package zookeeper

import (
	"time"

	"github.com/go-zookeeper/zk"
)

// event is called by the library, from several goroutines, and must not block. Everything is
// noted here and done by the keeper.
func (l *link) event(e zk.Event) {
	switch e.Type {
	case zk.EventSession:
		l.session(e.State)
	case zk.EventNodeCreated, zk.EventNodeDeleted, zk.EventNodeDataChanged, zk.EventNodeChildrenChanged:
		l.disarm(e.Path) // a watch fires once
		l.wake()
	default: // that the library has dropped its watches goes with the expired session
	}
}

func (l *link) session(state zk.State) {
	switch state {
	case zk.StateConnected:
		l.set(func() { l.answered = false })
	case zk.StateHasSession:
		l.set(func() {
			l.up, l.gone, l.answered = true, false, true
			l.refusals, l.silences = 0, 0
			l.tries = 1
			l.sessions++
			if l.open != nil {
				l.open.relax()
			}
		})
	case zk.StateExpired: // which is learned on reconnecting; the next connect begins a session anew
		l.set(func() {
			l.answered = true
			l.tries = 0
			clear(l.armed)
		})
	case zk.StateDisconnected:
		l.set(func() {
			if l.up {
				l.down()
			} else if l.open != nil && !l.answered {
				l.refuse(time.Now())
				if l.open.silent.Load() {
					l.silences++
				}
			}
			l.answered = true
		})
	default: // the others are of no consequence here
	}
}

// arm reports whether the path needs a watch, and notes that it has one. That comes before the
// request: the event can be faster than the answer to it.
func (l *link) arm(path string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, armed := l.armed[path]; armed {
		return false
	}
	l.armed[path] = struct{}{}
	return true
}

func (l *link) disarm(path string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.armed, path)
}

// rearmed notes that a watch was set, so that there may have been changes before.
func (l *link) rearmed() {
	l.mu.Lock()
	l.unseen = true
	l.mu.Unlock()
	l.wake()
}

// takeUnseen reports whether there may have been changes since it was called last.
func (l *link) takeUnseen() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	unseen := l.unseen
	l.unseen = false
	return unseen
}

// listed returns the workers that were there when the list of them was read last.
func (l *link) listed() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.workers
}
