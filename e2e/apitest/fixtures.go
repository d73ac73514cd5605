package apitest

import (
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"time"
)

// object is a JSON object.
type object = map[string]any

// digest is the password of every user of the tests: the SHA-1 of "secret".
const digest = "e5e9fa1ba31ecd1ae84f75caaa474f3a663f05f4"

// layout is DD-MM-YYYY:SS-MM-HH.
const layout = "02-01-2006:05-04-15"

// Two moments that are to come, whatever the time zone, the first one first.
var soon, later = inDays(30), inDays(60)

func inDays(n int) string { return time.Now().UTC().AddDate(0, 0, n).Format(layout) }

func credentials(username string) object {
	return object{"username": username, "password": digest}
}

// newRide is the body that creates a ride of a user.
func newRide(by string) object {
	return object{"created_by": by, "timestamp": soon, "source": 1, "destination": 2}
}

// except returns the object without a field, or with the field set to a value.
func except(o object, field string, value ...any) object {
	o = maps.Clone(o)
	delete(o, field)
	if len(value) > 0 {
		o[field] = value[0]
	}
	return o
}

// clear empties the database, and adds users.
func (s *suite) clear(users ...string) {
	s.t.Helper()
	s.must(request{method: "POST", path: "/api/v1/db/clear", as: operator}, 200)
	s.session.forget()
	for _, username := range users {
		s.must(putUser(username), 201)
	}
}

func putUser(username string) request {
	return request{method: "PUT", path: "/api/v1/users", body: credentials(username)}
}

func deleteUser(username string) request {
	return request{method: "DELETE", path: "/api/v1/users/" + escape(username), as: caller(username)}
}

func signIn(username, password string) request {
	return request{method: "POST", path: sessions, body: object{"username": username, "password": password}}
}

// postRide is the request of the user in created_by.
func postRide(ride object) request {
	by, _ := ride["created_by"].(string)
	return request{method: "POST", path: "/api/v1/rides", body: ride, as: caller(by)}
}

func join(ride any, username string) request {
	return request{method: "POST", path: ridePath(ride), body: object{"username": username}, as: caller(username)}
}

func deleteRide(ride any, by string) request {
	return request{method: "DELETE", path: ridePath(ride), as: caller(by)}
}

func get(path string) request { return request{method: "GET", path: path} }

func getRide(ride any) request { return get(ridePath(ride)) }

func upcoming(source, destination any) request {
	return get(fmt.Sprintf("/api/v1/rides?source=%v&destination=%v", source, destination))
}

func ridePath(ride any) string { return fmt.Sprintf("/api/v1/rides/%v", ride) }

// addRide creates a ride and returns its number.
func (s *suite) addRide(by string) int64 { s.t.Helper(); return s.addRideAs(newRide(by)) }

func (s *suite) addRideAs(ride object) int64 {
	s.t.Helper()
	created := decode[struct{ RideID int64 }](s, s.must(postRide(ride), 201))
	if created.RideID < 1 {
		s.t.Fatalf("ride %d was created: the first number is 1", created.RideID)
	}
	return created.RideID
}

// escape percent-encodes everything in a segment of a path but letters and digits.
func escape(segment string) string {
	var b strings.Builder
	for _, c := range []byte(segment) {
		if '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}

// list is a JSON list of strings.
func list(items ...string) string {
	data, err := json.Marshal(items)
	if err != nil {
		panic(err)
	}
	return string(data)
}
