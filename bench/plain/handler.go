package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/go-sql-driver/mysql"
)

const (
	// layout is DD-MM-YYYY:SS-MM-HH.
	layout = "02-01-2006:05-04-15"
	// requestTime is how long a request may take: as in our functions.
	requestTime = 10 * time.Second
	areas       = 198
)

// handler answers what is measured, and the creation of users that it needs.
func handler(g *group) http.Handler {
	mux := http.NewServeMux()
	handle := func(pattern string, f func(*node, *http.Request) (code int, body any, err error)) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			ctx, cancel := context.WithTimeout(r.Context(), requestTime)
			defer cancel()
			var code int
			var body any
			err := g.do(func(n *node) (err error) {
				code, body, err = f(n, r.WithContext(ctx))
				return err
			})
			answer(w, code, body, err)
		})
	}
	handle("PUT /api/v1/users", createUser)
	handle("POST /api/v1/rides", create)
	handle("GET /api/v1/rides/{id}", get)
	handle("GET /api/v1/rides", upcoming)
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		if g.primary.Load() == nil {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	})
	return mux
}

func answer(w http.ResponseWriter, code int, body any, err error) {
	var e *mysql.MySQLError
	switch {
	case errors.As(err, &e) && (e.Number == duplicateKey || e.Number == noReferencedRow):
		code, body = http.StatusBadRequest, map[string]string{"detail": e.Message}
	case err != nil:
		code, body = http.StatusServiceUnavailable, map[string]string{"detail": err.Error()}
	case code == http.StatusNoContent:
		w.WriteHeader(code)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(body) // the caller is gone
}

func createUser(n *node, r *http.Request) (int, any, error) {
	var in struct{ Username, Password string }
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		return http.StatusBadRequest, struct{}{}, nil //nolint:nilerr // it is the caller's, and the answer
	}
	_, err := n.createUser.ExecContext(r.Context(), in.Username, in.Password)
	return http.StatusCreated, struct{}{}, err
}

type newRide struct {
	CreatedBy   string `json:"created_by"`
	Timestamp   string `json:"timestamp"`
	Source      int64  `json:"source"`
	Destination int64  `json:"destination"`
}

func (r newRide) valid() bool {
	return r.Source != r.Destination && min(r.Source, r.Destination) >= 1 && max(r.Source, r.Destination) <= areas
}

func create(n *node, r *http.Request) (int, any, error) {
	var in newRide
	d := json.NewDecoder(r.Body)
	d.DisallowUnknownFields()
	err := d.Decode(&in)
	departs, err2 := time.Parse(layout, in.Timestamp)
	if errors.Join(err, err2) != nil || !in.valid() {
		return http.StatusBadRequest, struct{}{}, nil //nolint:nilerr // it is the caller's, and the answer
	}
	made, err := n.create.ExecContext(r.Context(), in.CreatedBy, in.Source, in.Destination, departs.UnixMicro())
	if err != nil {
		return 0, nil, err
	}
	id, err := made.LastInsertId()
	return http.StatusCreated, map[string]int64{"rideId": id}, err
}

// ride is a ride with those who joined it.
type ride struct {
	RideID      int64    `json:"rideId"`
	CreatedBy   string   `json:"created_by"`
	Users       []string `json:"users"`
	Timestamp   string   `json:"timestamp"`
	Source      int64    `json:"source"`
	Destination int64    `json:"destination"`
}

func get(n *node, r *http.Request) (int, any, error) {
	id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
	if err != nil {
		return http.StatusBadRequest, struct{}{}, nil
	}
	rows, err := n.get.QueryContext(r.Context(), id)
	if err != nil {
		return 0, nil, err
	}
	defer rows.Close() //nolint:errcheck // it was read
	code, out := http.StatusNoContent, ride{RideID: id, Users: []string{}}
	for rows.Next() {
		var departs int64
		var rider sql.NullString
		if err := rows.Scan(&out.CreatedBy, &out.Source, &out.Destination, &departs, &rider); err != nil {
			return 0, nil, err
		}
		code, out.Timestamp = http.StatusOK, timestamp(departs)
		if rider.Valid {
			out.Users = append(out.Users, rider.String)
		}
	}
	return code, out, rows.Err()
}

// upcomingRide is a ride in a list.
type upcomingRide struct {
	RideID    int64  `json:"rideId"`
	Username  string `json:"username"`
	Timestamp string `json:"timestamp"`
}

func upcoming(n *node, r *http.Request) (int, any, error) {
	source, err := strconv.ParseInt(r.FormValue("source"), 10, 64)
	destination, err2 := strconv.ParseInt(r.FormValue("destination"), 10, 64)
	if errors.Join(err, err2) != nil {
		return http.StatusBadRequest, struct{}{}, nil
	}
	rows, err := n.upcoming.QueryContext(r.Context(), source, destination, time.Now().UnixMicro())
	if err != nil {
		return 0, nil, err
	}
	defer rows.Close() //nolint:errcheck // it was read
	code, out := http.StatusNoContent, []upcomingRide{}
	for rows.Next() {
		var u upcomingRide
		var departs int64
		if err := rows.Scan(&u.RideID, &u.Username, &departs); err != nil {
			return 0, nil, err
		}
		u.Timestamp = timestamp(departs)
		code, out = http.StatusOK, append(out, u)
	}
	return code, out, rows.Err()
}

func timestamp(micros int64) string { return time.UnixMicro(micros).UTC().Format(layout) }
