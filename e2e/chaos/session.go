package chaos

import (
	"context"
	"fmt"
	"time"

	"rideshare/internal/db"
)

// session is a client with a counter that it alone writes. What it reads of it must not go back.
type session struct {
	*clients
	database
	name   string
	ride   int64 // whose source is the counter
	tried  int64
	newest db.Position
}

func (c *clients) newSession(ctx context.Context, i int) (*session, error) {
	s := &session{clients: c, database: c.new(), name: fmt.Sprintf("session-%s-%d", c.id, i)}
	if err := s.user(ctx, s.name); err != nil {
		return nil, err
	}
	result, err := s.Write(ctx, db.Op{Insert: "rides", Values: map[string]any{
		"ride_id": db.Next("rides"), "created_by": s.name, "source": 0, "destination": 0, "departs_at": db.Now{},
	}})
	if err != nil {
		return nil, err
	}
	s.ride = db.Row(result.Results[0].Values).Int("ride_id")
	return s, nil
}

// step writes the counter, and then reads it at one level after the other.
func (s *session) step(ctx context.Context, n int) {
	levels := []db.Consistency{db.Session, db.Eventual, db.Session, db.Strong}
	s.act(func() error {
		if n%5 == 0 {
			return s.count(ctx)
		}
		return s.look(ctx, levels[n%5-1])
	})
}

func (s *session) where() []db.Condition {
	return []db.Condition{db.Where("ride_id", db.Eq, s.ride)}
}

func (s *session) count(ctx context.Context) error {
	s.tried++
	seen := Seen{Session: s.name, Value: s.tried, Tried: s.tried, Begun: s.recorder.now()}
	result, err := s.Write(ctx, db.Op{Update: "rides", Set: map[string]any{"source": s.tried}, Where: s.where(), Expect: db.Rows(1)})
	if err != nil {
		return err
	}
	seen.Position = result.Position
	s.saw(seen)
	return nil
}

func (s *session) look(ctx context.Context, level db.Consistency) error {
	seen := Seen{Session: s.name, Level: string(level), Tried: s.tried, Begun: s.recorder.now()}
	read := db.Read{Queries: []db.Query{{Table: "rides", Columns: []string{"source"}, Where: s.where()}}, Consistency: level}
	if level == db.Session {
		seen.After, read.After = s.newest, s.newest
	}
	result, err := s.Read(ctx, read)
	if err != nil {
		return err
	}
	seen.Position, seen.Value = result.Position, -1 // that it is not there
	if rows := result.Results[0].Rows; len(rows) == 1 {
		seen.Value = rows[0].Int("source")
	}
	s.saw(seen)
	return nil
}

func (s *session) saw(seen Seen) {
	seen.Ended = s.recorder.now()
	if seen.Level != string(db.Eventual) && seen.Position.Covers(s.newest) {
		s.newest = seen.Position
	}
	s.recorder.add(func(h *History) { h.Seen = append(h.Seen, seen) })
}

// departure is the time of a writer's n-th ride, which no other ride of it has.
func departure(n int) time.Time {
	return time.Date(2090, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(n) * time.Second)
}
