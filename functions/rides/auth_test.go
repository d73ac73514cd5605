package rides

import (
	"net/http"
	"testing"

	"rideshare/internal/serve/servetest"
)

// Each operation with every kind of token, and with nobody being asked.
func TestAuthMatrix(t *testing.T) { servetest.Each(t, testAuthMatrix) }

func testAuthMatrix(t *testing.T, via servetest.Driver) {
	create := ride("alice", "03-03-2026:00-00-12", "1", "2")
	for name, c := range map[string]struct {
		method, target, body       string
		off, none, bad, own, other int
	}{
		"create":   {http.MethodPost, path, create, 201, 401, 401, 201, 403},
		"join":     {http.MethodPost, path + "/2", rider("alice"), 200, 401, 401, 200, 403},
		"delete":   {http.MethodDelete, path + "/1", "", 200, 401, 401, 200, 403},
		"no ride":  {http.MethodDelete, path + "/9", "", 400, 401, 401, 400, 400},
		"mine":     {http.MethodGet, "/api/v1/riders/alice/rides", "", 200, 401, 401, 200, 403},
		"leave":    {http.MethodDelete, "/api/v1/riders/alice/rides/2", "", 400, 401, 401, 400, 403},
		"upcoming": {http.MethodGet, path + "?source=1&destination=2", "", 200, 200, 200, 200, 200},
		"count":    {http.MethodGet, path + "/count", "", 200, 200, 200, 200, 200},
		"get":      {http.MethodGet, path + "/1", "", 200, 200, 200, 200, 200},
	} {
		for who, status := range map[string]int{"off": c.off, "none": c.none, "bad": c.bad, "ended": c.bad, "alice": c.own, "mallory": c.other} {
			t.Run(name+"/"+who, func(t *testing.T) {
				database := people(t, "alice", "bob", "mallory")
				before := people(t, "alice") // with an account that has the name no more
				open, _ := setup(via, database, false)
				do(open, http.MethodPost, path, create)
				do(open, http.MethodPost, path, ride("bob", "03-03-2026:00-00-12", "1", "2"))
				h, tokens := setup(via, database, who != "off")
				var header []string
				switch who {
				case "bad":
					header = []string{"Authorization", "Bearer x.y.z"}
				case "ended":
					header = []string{"Authorization", "Bearer " + tokenOf(t, before, tokens, "alice")}
				case "alice", "mallory":
					header = []string{"Authorization", "Bearer " + tokenOf(t, database, tokens, who)}
				}
				w := do(h, c.method, c.target, c.body, header...)
				if w.Code != status {
					t.Errorf("%d, want %d: %s", w.Code, status, w.Body)
				}
				if status == 401 && w.Header().Get("WWW-Authenticate") == "" {
					t.Error("no WWW-Authenticate")
				}
			})
		}
	}
}
