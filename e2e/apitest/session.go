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
	tokens map[string]token
}

// token is the token of a user. It is old when the user has been deleted and created again since:
// whether it is still one, the contract does not say.
type token struct {
	text string
	old  bool
}

func newSession() *session { return &session{tokens: map[string]token{}} }

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

func (s *session) token(username string) token {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.tokens[username]
}

func (s *session) keep(username, text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tokens[username] = token{text: text}
}

// age makes all tokens old.
func (s *session) age() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for username, t := range s.tokens {
		t.old = true
		s.tokens[username] = t
	}
}
