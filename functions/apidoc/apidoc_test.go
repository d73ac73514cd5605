package apidoc

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"rideshare/internal/httpapi"
)

type operation struct {
	Summary     string
	OperationID string
	Tags        []string
	Security    []map[string][]string
	Parameters  []struct{ Name string }
	Responses   map[string]struct {
		Description string
		Content     map[string]any
	}
	RequestBody *struct {
		Content map[string]struct{ Schema map[string]any }
	}
}

type document struct {
	OpenAPI string
	Paths   map[string]map[string]operation
	// Components are looked through for examples.
	Components struct {
		Schemas map[string]struct {
			Type       string
			Properties map[string]map[string]any
		}
		SecuritySchemes map[string]any
	}
}

func load(t *testing.T) document {
	t.Helper()
	data, err := Document("1.2.3")
	if err != nil {
		t.Fatal(err)
	}
	var d document
	if err := json.Unmarshal(data, &d); err != nil {
		t.Fatal(err)
	}
	return d
}

func TestDocumentHasEveryOperation(t *testing.T) {
	d := load(t)
	if d.OpenAPI != "3.1.0" {
		t.Errorf("openapi %s", d.OpenAPI)
	}
	want := map[string]string{ // and whose token it wants
		"PUT /api/v1/users": "", "GET /api/v1/users": "", "DELETE /api/v1/users/{username}": httpapi.User,
		"POST /api/v1/sessions": "",
		"POST /api/v1/rides":    httpapi.User, "GET /api/v1/rides": "", "GET /api/v1/rides/count": "",
		"GET /api/v1/rides/{rideId}": "", "POST /api/v1/rides/{rideId}": httpapi.User, "DELETE /api/v1/rides/{rideId}": httpapi.User,
		"POST /api/v1/db/write": httpapi.Service, "POST /api/v1/db/read": httpapi.Service, "POST /api/v1/db/clear": httpapi.Service,
		"GET /api/v1/db/snapshot": httpapi.Service, "GET /api/v1/db/checksums": httpapi.Service,
		"GET /api/v1/worker/list": httpapi.Service, "POST /api/v1/crash/master": httpapi.Service, "POST /api/v1/crash/slave": httpapi.Service,
		"GET /api/v1/cluster/events":          httpapi.Service,
		"GET /api/v1/riders/{username}/rides": httpapi.User, "DELETE /api/v1/riders/{username}/rides/{rideId}": httpapi.User,
		"GET /api/v1/cluster": httpapi.Service, "PUT /api/v1/cluster/slaves": httpapi.Service, "POST /api/v1/cluster/switchover": httpapi.Service,
		"GET /healthz": "", "GET /readyz": "",
	}
	for path, methods := range d.Paths {
		for method, op := range methods {
			name := strings.ToUpper(method) + " " + path
			scheme, known := want[name]
			if !known {
				t.Errorf("%s is not in the contract", name)
			}
			delete(want, name)
			var got string
			if len(op.Security) == 1 {
				for got = range op.Security[0] {
				}
			}
			if got != scheme {
				t.Errorf("%s wants the token %q, not %q", name, got, scheme)
			}
		}
	}
	for name := range want {
		t.Errorf("%s is missing", name)
	}
}

func TestOperationsAreDescribed(t *testing.T) {
	for path, methods := range load(t).Paths {
		for method, op := range methods {
			if op.Summary == "" || op.OperationID == "" || len(op.Tags) != 1 {
				t.Errorf("%s %s: summary %q, id %q, tags %v", method, path, op.Summary, op.OperationID, op.Tags)
			}
			codes := []string{}
			for code, r := range op.Responses {
				codes = append(codes, code)
				if r.Description == "" {
					t.Errorf("%s %s: %s is not described", method, path, code)
				}
				if code >= "400" && r.Content[httpapi.ProblemType] == nil {
					t.Errorf("%s %s: %s is not a problem", method, path, code)
				}
			}
			must := []string{"400"}
			if op.RequestBody != nil {
				must = append(must, "413", "415")
				if op.RequestBody.Content["application/json"].Schema == nil || len(op.RequestBody.Content) != 1 {
					t.Errorf("%s %s: content %v", method, path, op.RequestBody.Content)
				}
			}
			if len(op.Security) > 0 {
				must = append(must, "401")
			}
			if path != "/healthz" {
				must = append(must, "503")
			}
			never := []string{"500", "default"}
			if slices.Contains(op.Parameters, struct{ Name string }{"Idempotency-Key"}) {
				must = append(must, "422")
			} else {
				never = append(never, "422")
			}
			for _, code := range must {
				if !slices.Contains(codes, code) {
					t.Errorf("%s %s: no answer %s", method, path, code)
				}
			}
			for _, code := range never {
				if slices.Contains(codes, code) {
					t.Errorf("%s %s: has an answer %s", method, path, code)
				}
			}
		}
	}
}

func TestFieldsHaveExamples(t *testing.T) {
	ours := []string{"Credentials", "NewRide", "NewRider", "CreatedRide", "UpcomingRide", "RiderRide", "RideDetails", "Session", "Slaves", "Switchover"}
	d := load(t)
	for _, name := range ours {
		schema, ok := d.Components.Schemas[name]
		if !ok {
			t.Errorf("there is no schema %s", name)
		}
		for field, s := range schema.Properties {
			if s["examples"] == nil || s["description"] == nil {
				t.Errorf("%s.%s: %v", name, field, s)
			}
		}
		if schema.Properties["$schema"] != nil {
			t.Errorf("%s has a $schema", name)
		}
	}
}

func TestHandlers(t *testing.T) {
	handlers, err := New("1.2.3")
	if err != nil {
		t.Fatal(err)
	}
	h := httpapi.New(httpapi.Options{Handlers: handlers}).Handler()
	get := func(path string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		return w
	}
	if w := get("/openapi.json"); w.Code != 200 || !json.Valid(w.Body.Bytes()) || w.Header().Get("Content-Type") != "application/openapi+json" {
		t.Errorf("%d %v", w.Code, w.Header())
	}
	w := get("/docs")
	policy := w.Header().Get("Content-Security-Policy")
	if w.Code != 200 || strings.Contains(policy, "unsafe") || !strings.Contains(policy, "default-src 'none'") {
		t.Errorf("%d %q", w.Code, policy)
	}
	// One inline script and one style, which the policy names by hash, and nothing from elsewhere.
	for _, s := range []string{"<script", "<style"} {
		if n := strings.Count(page, s); n != 1 {
			t.Errorf("%d elements %s", n, s)
		}
	}
	for _, s := range []string{"src=", "http:", "https:", "@import", " style=", "onclick", "innerHTML"} {
		if strings.Contains(page, s) {
			t.Errorf("the page has %q", s)
		}
	}
}
