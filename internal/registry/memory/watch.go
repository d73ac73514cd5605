package memory

import "context"

// Watch implements registry.Registry. A value also arrives when the session or the server has come
// back, for what may have been missed.
func (s *Session) Watch(ctx context.Context) <-chan struct{} {
	s.server.mu.Lock()
	defer s.server.mu.Unlock()
	ch := make(chan struct{}, 1)
	if !s.closed {
		s.watches[ch] = context.AfterFunc(ctx, func() { s.forget(ch) })
	}
	return ch
}

func (s *Session) forget(ch chan struct{}) {
	s.server.mu.Lock()
	defer s.server.mu.Unlock()
	delete(s.watches, ch)
}

// notify puts a value into every watch that has none waiting.
func (s *Session) notify() {
	if !s.reachable() {
		return
	}
	for ch := range s.watches {
		select {
		case ch <- struct{}{}:
		default:
		}
	}
}
