package sqlstore

import (
	"container/list"
	"database/sql"
)

// maxStatements bounds the prepared statements of a connection. The requests of the functions have
// a few dozen shapes; other callers may send any number.
const maxStatements = 96

// stmtCache holds the prepared statements that were used last, by their text.
type stmtCache struct {
	byText map[string]*list.Element
	recent *list.List // of *cachedStmt, the last used first
}

type cachedStmt struct {
	text string
	stmt *sql.Stmt
}

func newStmtCache() *stmtCache {
	return &stmtCache{byText: map[string]*list.Element{}, recent: list.New()}
}

func (s *stmtCache) get(text string) (*sql.Stmt, bool) {
	e, ok := s.byText[text]
	if !ok {
		return nil, false
	}
	s.recent.MoveToFront(e)
	return e.Value.(*cachedStmt).stmt, true
}

// add adds a statement and closes the one used longest ago where there are too many.
func (s *stmtCache) add(text string, stmt *sql.Stmt) error {
	s.byText[text] = s.recent.PushFront(&cachedStmt{text, stmt})
	if s.recent.Len() <= maxStatements {
		return nil
	}
	oldest := s.recent.Remove(s.recent.Back()).(*cachedStmt)
	delete(s.byText, oldest.text)
	return oldest.stmt.Close()
}

// close closes all statements. Their errors say nothing new: the connection ends next.
func (s *stmtCache) close() {
	for e := s.recent.Front(); e != nil; e = e.Next() {
		_ = e.Value.(*cachedStmt).stmt.Close()
	}
}
