package chaos

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"

	"rideshare/client"
	"rideshare/internal/db"
)

// writer creates and deletes rows that have names of their own, and repeats some of it.
type writer struct {
	*clients
	database
	name string
	own  []Write // acknowledged, and not deleted
	done []sent  // acknowledged, with how to send it again
}

// sent is a write, and how to send it under its key.
type sent struct {
	Write
	send func(context.Context) (reply string, id int64, err error)
}

const mostRemembered = 500 // writes of a writer that it may repeat

func (c *clients) newWriter(ctx context.Context, i int) (*writer, error) {
	w := &writer{clients: c, database: c.new(), name: fmt.Sprintf("writer-%s-%d", c.id, i)}
	return w, w.user(ctx, w.name)
}

// nameOfRide is how the verdict calls a ride.
func nameOfRide(creator string, unix int64) string {
	return fmt.Sprintf("ride of %s at %d", creator, unix)
}

func nameOfUser(name string) string { return "user " + name }

// step is one write, and after some of them a repetition: at once, or of an older one.
func (w *writer) step(ctx context.Context, n int) {
	var s sent
	switch {
	case n%60 == 59:
		s = w.signUp(n)
	case n%10 == 7:
		s = w.refusable(n)
	case n%10 == 9 && len(w.own) > 0:
		s = w.deletion()
	case n%2 == 0:
		s = w.publicRide(n)
	default:
		s = w.ride(n)
	}
	s.Client, s.Key = w.name, fmt.Sprintf("%s-%d", w.name, n)
	w.act(func() error { return w.first(ctx, &s) })
	if s.Outcome == Unknown {
		return
	}
	if rand.IntN(5) == 0 {
		w.act(func() error { return w.again(ctx, s) })
	}
	if rand.IntN(10) == 0 {
		w.act(func() error { return w.again(ctx, w.done[rand.IntN(len(w.done))]) })
	}
}

// first sends a write for the first time.
func (w *writer) first(ctx context.Context, s *sent) error {
	s.Begun = w.recorder.now()
	reply, id, err := s.send(client.WithIdempotencyKey(ctx, s.Key))
	s.Ended, s.Outcome = w.recorder.now(), outcomeOf(err)
	s.Reply, s.ID = told(reply, err), id
	w.recorder.add(func(h *History) { h.Writes = append(h.Writes, s.Write) })
	if s.Outcome == Unknown {
		return err
	}
	if s.Outcome == Acked && s.ID != 0 && !s.Delete {
		w.own = append(w.own, s.Write)
	}
	if len(w.done) == mostRemembered {
		w.done = w.done[1:]
	}
	w.done = append(w.done, *s)
	return err
}

// again sends a write again that was answered. The reply has to be the same.
func (w *writer) again(ctx context.Context, s sent) error {
	r := Retry{Of: s.Write, Begun: w.recorder.now()}
	reply, _, err := s.send(client.WithIdempotencyKey(ctx, s.Key))
	if outcomeOf(err) == Unknown {
		return err
	}
	r.Ended, r.Reply = w.recorder.now(), told(reply, err)
	w.recorder.add(func(h *History) { h.Retries = append(h.Retries, r) })
	return nil
}

// told is the reply as the client got it: an answer, or a problem.
func told(reply string, err error) string {
	if err != nil {
		return err.Error()
	}
	return reply
}

// publicRide creates a ride as its users do.
func (w *writer) publicRide(n int) sent {
	at := departure(n)
	return sent{Write{Name: nameOfRide(w.name, at.Unix())}, func(ctx context.Context) (string, int64, error) {
		ride, err := w.CreateRide(ctx, client.NewRide{CreatedBy: w.name, Source: 1, Destination: 2, Timestamp: at.Format("02-01-2006:05-04-15")})
		if err != nil {
			return "", 0, err
		}
		return fmt.Sprintf(`{"rideId":%d}`, ride.RideID), ride.RideID, nil
	}}
}

// ride creates a ride through the database's API.
func (w *writer) ride(n int) sent {
	return sent{Write{Name: nameOfRide(w.name, departure(n).Unix())}, func(ctx context.Context) (string, int64, error) {
		result, err := w.Write(ctx, w.insert(n))
		return w.reply(result, err)
	}}
}

// refusable creates a ride under a condition that does not hold.
func (w *writer) refusable(n int) sent {
	check := db.Op{Check: "users", Where: []db.Condition{db.Where("username", db.Eq, "nobody")}, Expect: db.Rows(1)}
	return sent{Write{Name: nameOfRide(w.name, departure(n).Unix()), ToRefuse: true}, func(ctx context.Context) (string, int64, error) {
		result, err := w.Write(ctx, w.insert(n), check)
		return w.reply(result, err)
	}}
}

func (w *writer) insert(n int) db.Op {
	return db.Op{Insert: "rides", Values: map[string]any{
		"ride_id": db.Next("rides"), "created_by": w.name, "source": 1, "destination": 2, "departs_at": departure(n),
	}}
}

func (w *writer) reply(result db.WriteResult, err error) (string, int64, error) {
	if err != nil {
		return "", 0, err
	}
	text, err := json.Marshal(result)
	return string(text), db.Row(result.Results[0].Values).Int("ride_id"), err
}

// deletion deletes one of the writer's own rides.
func (w *writer) deletion() sent {
	i := rand.IntN(len(w.own))
	victim := w.own[i]
	w.own = append(w.own[:i:i], w.own[i+1:]...)
	return sent{Write{Name: victim.Name, Delete: true, ID: victim.ID}, func(ctx context.Context) (string, int64, error) {
		return "{}", victim.ID, w.DeleteRide(ctx, strconv.FormatInt(victim.ID, 10))
	}}
}

// signUp creates a user as users do.
func (w *writer) signUp(n int) sent {
	name := fmt.Sprintf("user-%s-%d", w.name, n)
	return sent{Write{Name: nameOfUser(name)}, func(ctx context.Context) (string, int64, error) {
		return "{}", 0, w.CreateUser(ctx, client.Credentials{Username: name, Password: strings.Repeat("0a", 20)})
	}}
}
