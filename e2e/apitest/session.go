package apitest

import (
	"strconv"
	"strings"
	"sync"
)

// session is what a client remembers: the newest position that it has seen, and the tokens of the
// users.
type session struct {
	mu     sync.Mutex
	seq    uint64
	after  string
	tokens map[string]string
}

func newSession() *session { return &session{tokens: map[string]string{}} }

// saw notes a Consistency-Token. Seq alone orders positions.
func (s *session) saw(position string) {
	_, digits, _ := strings.Cut(position, ".")
	seq, err := strconv.ParseUint(digits, 10, 64)
	if err != nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.after == "" || seq >= s.seq {
		s.seq, s.after = seq, position
	}
}

func (s *session) newest() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.after
}

func (s *session) token(username string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.tokens[username]
}

func (s *session) keep(username, text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tokens[username] = text
}

// forget forgets the tokens: their users have been deleted, and tokens end with them.
func (s *session) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.tokens)
}
