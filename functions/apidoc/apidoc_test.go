package apidoc

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
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
	Responses   map[string]response
	RequestBody *struct {
		Content map[string]struct{ Schema map[string]any }
	}
}

type response struct {
	Ref         string `json:"$ref"`
	Description string
	Content     map[string]any
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
		Responses       map[string]response
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

// contract is every operation: whose token it wants, and its answers without those of the middleware.
var contract = map[string]struct {
	token    string
	statuses []int
}{
	"PUT /api/v1/users":               {"", []int{201, 429, 503, 504}},
	"GET /api/v1/users":               {"", []int{200, 204, 503}},
	"DELETE /api/v1/users/{username}": {httpapi.User, []int{200, 503, 504}},
	"POST /api/v1/sessions":           {"", []int{200, 401, 429, 503}},
	"DELETE /api/v1/sessions":         {httpapi.User, []int{200, 503, 504}},

	"PUT /api/v1/users/{username}/password": {httpapi.User, []int{200, 403, 429, 503, 504}},

	"POST /api/v1/rides":                              {httpapi.User, []int{201, 503, 504}},
	"GET /api/v1/rides":                               {"", []int{200, 204, 503}},
	"GET /api/v1/rides/count":                         {"", []int{200, 503}},
	"GET /api/v1/rides/{rideId}":                      {"", []int{200, 204, 503}},
	"POST /api/v1/rides/{rideId}":                     {httpapi.User, []int{200, 503, 504}},
	"DELETE /api/v1/rides/{rideId}":                   {httpapi.User, []int{200, 503, 504}},
	"GET /api/v1/riders/{username}/rides":             {httpapi.User, []int{200, 204, 403, 503}},
	"DELETE /api/v1/riders/{username}/rides/{rideId}": {httpapi.User, []int{200, 503, 504}},

	"POST /api/v1/db/write":    {"service or database", []int{200, 409, 503, 504}},
	"POST /api/v1/db/read":     {"service or database", []int{200, 503}},
	"POST /api/v1/db/clear":    {httpapi.Service, []int{200, 503, 504}},
	"GET /api/v1/db/snapshot":  {httpapi.Service, []int{200, 503}},
	"GET /api/v1/db/checksums": {httpapi.Service, []int{200, 503}},

	"GET /api/v1/worker/list":         {httpapi.Service, []int{200, 503}},
	"POST /api/v1/crash/master":       {httpapi.Service, []int{200, 409, 503}},
	"POST /api/v1/crash/slave":        {httpapi.Service, []int{200, 409, 503}},
	"GET /api/v1/cluster":             {httpapi.Service, []int{200, 503}},
	"GET /api/v1/cluster/events":      {httpapi.Service, []int{200, 501, 503}},
	"GET /api/v1/cluster/history":     {httpapi.Service, []int{200, 503}},
	"PUT /api/v1/cluster/slaves":      {httpapi.Service, []int{200, 503}},
	"POST /api/v1/cluster/switchover": {httpapi.Service, []int{200, 409, 503}},

	"GET /healthz": {"", []int{200}},
	"GET /readyz":  {"", []int{200, 503}},
}

// everywhere are the answers of the middleware, and of the server before it, to any operation.
var everywhere = []int{400, 403, 408, 413, 415, 417, 431, 500}

// wanted returns all statuses that an operation must have.
func wanted(token string, own []int) []int {
	all := slices.Concat(everywhere, own)
	if token != "" {
		all = append(all, 401)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func TestDocumentIsTheContract(t *testing.T) {
	d := load(t)
	if d.OpenAPI != "3.1.0" {
		t.Errorf("openapi %s", d.OpenAPI)
	}
	for path, methods := range d.Paths {
		for method, op := range methods {
			method = strings.ToUpper(method)
			want, known := contract[method+" "+path]
			if !known {
				t.Errorf("%s %s is not in the contract", method, path)
			}
			var tokens []string
			for _, alternative := range op.Security {
				tokens = slices.AppendSeq(tokens, maps.Keys(alternative))
			}
			if token := strings.Join(tokens, " or "); token != want.token {
				t.Errorf("%s %s wants the token %q, not %q", method, path, token, want.token)
			}
			var got []int
			for code := range op.Responses {
				status, _ := strconv.Atoi(code)
				got = append(got, status)
			}
			slices.Sort(got)
			all := wanted(want.token, want.statuses)
			if slices.Contains(op.Parameters, struct{ Name string }{"Idempotency-Key"}) {
				all = append(all, 422)
				slices.Sort(all)
			}
			if !slices.Equal(got, all) {
				t.Errorf("%s %s answers %v, want %v", method, path, got, all)
			}
		}
	}
	for name := range contract {
		method, path, _ := strings.Cut(name, " ")
		if _, ok := d.Paths[path][strings.ToLower(method)]; !ok {
			t.Errorf("%s is missing", name)
		}
	}
}

func TestOperationsAreDescribed(t *testing.T) {
	d := load(t)
	for path, methods := range d.Paths {
		for method, op := range methods {
			if op.Summary == "" || op.OperationID == "" || len(op.Tags) != 1 {
				t.Errorf("%s %s: summary %q, id %q, tags %v", method, path, op.Summary, op.OperationID, op.Tags)
			}
			for code, r := range op.Responses {
				if name, ok := strings.CutPrefix(r.Ref, "#/components/responses/"); ok {
					r = d.Components.Responses[name]
				}
				if r.Description == "" {
					t.Errorf("%s %s: %s is not described", method, path, code)
				}
				ofServer := code == "417" || code == "431" // which knows nothing of problems
				if (code >= "400" && !ofServer) != (r.Content[httpapi.ProblemType] != nil) {
					t.Errorf("%s %s: the answer %s has %v", method, path, code, r.Content)
				}
			}
			if op.RequestBody != nil && (op.RequestBody.Content["application/json"].Schema == nil || len(op.RequestBody.Content) != 1) {
				t.Errorf("%s %s: content %v", method, path, op.RequestBody.Content)
			}
		}
	}
}

// An operation that has a cause of its own for a common answer tells of both.
func TestCommonAnswersKeepTheirCause(t *testing.T) {
	got := load(t).Paths["/api/v1/users/{username}"]["delete"].Responses["403"].Description
	if want := "The token is another user's; or the request comes from a page of another site or, where nobody is asked for a token, its Host is none of the server's own"; got != want {
		t.Errorf("%q, want %q", got, want)
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
