package openapitest_test

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"rideshare/internal/openapitest"
)

const document = `{
"openapi": "3.1.0",
"paths": {
	"/things": {
		"put": {
			"parameters": [{"name": "n", "in": "query", "schema": {"type": "integer"}, "example": 1}],
			"requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Thing"}, "example": {"size": 1}}}},
			"responses": {
				"200": {"description": "Done", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Thing"}}}},
				"400": {"$ref": "#/components/responses/400"},
				"417": {"description": "No body"}
			}
		}
	},
	"/things/{id}": {"get": {"responses": {"204": {"description": "None"}, "200": {"description": "Text", "content": {"text/plain": {}}}}}},
	"/things/all": {"delete": {"responses": {"204": {"description": "Done"}}}}
},
"components": {
	"schemas": {
		"Thing": {"type": "object", "additionalProperties": false, "required": ["size"], "properties": {"size": {"type": "integer", "examples": [1, 2]}}},
		"Problem": {"type": "object", "required": ["status"], "properties": {"status": {"type": "integer"}, "example": {"type": "boolean", "examples": [true]}}}
	},
	"responses": {
		"400": {"description": "Bad", "headers": {"N": {"schema": {"type": "integer", "examples": [1]}}},
			"content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}, "examples": {"one": {"value": {"status": 400}}}}}},
		"404": {"description": "Nothing", "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}},
		"405": {"description": "Method", "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}}
	}
}}`

func parse(t *testing.T, text string) *openapitest.Document {
	t.Helper()
	d, err := openapitest.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestExamples(t *testing.T) {
	if n, err := parse(t, document).CheckExamples(); n != 7 || err != nil {
		t.Errorf("%d examples, %v", n, err)
	}
	// Every example is looked at: each of these changes breaks one.
	for _, change := range [][2]string{
		{`"example": 1}`, `"example": "one"}`},
		{`"example": {"size": 1}`, `"example": {}`},
		{`"example": {"size": 1}`, `"example": {"size": 1, "colour": "red"}`},
		{`"examples": [1, 2]`, `"examples": [1, 2.5]`},
		{`"examples": [true]`, `"examples": [1]`},
		{`"examples": [1]`, `"examples": ["1"]`},
		{`{"value": {"status": 400}}`, `{"value": {"status": null}}`},
	} {
		broken := strings.Replace(document, change[0], change[1], 1)
		if broken == document {
			t.Fatalf("there is no %s", change[0])
		}
		if _, err := parse(t, broken).CheckExamples(); err == nil {
			t.Errorf("%s: no error", change[1])
		}
	}
}

func TestAnswers(t *testing.T) {
	const (
		j, p, text    = "application/json", "application/problem+json", "text/plain; charset=utf-8"
		thing, wrong  = `{"size":1}`, `{"size":"1"}`
		bad, notFound = `{"status":400}`, `{"status":404}`
	)
	d := parse(t, document)
	for _, c := range []struct {
		method, target string
		status         int
		mediaType      string
		body           string
		fits           bool
	}{
		{"PUT", "/things?n=1", 200, j, thing, true},
		{"PUT", "/things", 200, j + "; charset=utf-8", thing, true},
		{"PUT", "/things", 400, p, bad, true},
		{"PUT", "/things", 417, "", "", true},
		{"GET", "/things/7", 204, "", "", true},
		{"GET", "/things/a%2Fb", 200, text, "anything", true},
		{"HEAD", "/things/7", 200, text, "", true},
		{"DELETE", "/things/all", 204, "", "", true},
		{"GET", "/nothing", 404, p, notFound, true},
		{"GET", "/things/", 404, p, notFound, true},
		{"GET", "/nothing", 400, p, bad, true},
		{"GET", "/things", 405, p, bad, true},

		{"PUT", "/things", 201, j, thing, false},
		{"PUT", "/things", 200, j, wrong, false},
		{"PUT", "/things", 200, j, `{"size":1,"colour":"red"}`, false},
		{"PUT", "/things", 200, j, `{"size":`, false},
		{"PUT", "/things", 200, j, "", false},
		{"PUT", "/things", 200, p, thing, false},
		{"PUT", "/things", 400, p, `{}`, false},
		{"PUT", "/things", 417, "text/plain", "x", false},
		{"PUT", "/things", 404, p, notFound, false},
		{"GET", "/things/all", 200, text, "of DELETE alone", false},
		{"GET", "/things/7", 204, "text/plain", "x", false},
		{"GET", "/nothing", 405, p, bad, false},
		{"GET", "/nothing", 200, j, thing, false},
		{"GET", "/things", 404, p, notFound, false},
		{"GET", "/nothing", 404, "text/plain", "404 page not found", false},
	} {
		header := http.Header{}
		if c.mediaType != "" {
			header.Set("Content-Type", c.mediaType)
		}
		err := d.CheckAnswer(c.method, c.target, c.status, header, []byte(c.body))
		if (err == nil) != c.fits {
			t.Errorf("%s %s, %d %s %s: %v", c.method, c.target, c.status, c.mediaType, c.body, err)
		}
	}
}

func TestStatuses(t *testing.T) {
	got := parse(t, document).Statuses()
	want := map[string][]int{"PUT /things": {200, 400, 417}, "GET /things/{id}": {200, 204}, "DELETE /things/all": {204}}
	if !maps.EqualFunc(got, want, slices.Equal) {
		t.Errorf("%v, want %v", got, want)
	}
}

func TestParseRefuses(t *testing.T) {
	for name, text := range map[string]string{
		"no JSON":           `{`,
		"another version":   strings.Replace(document, "3.1.0", "3.0.3", 1),
		"no schema":         strings.Replace(document, `"$ref": "#/components/schemas/Thing"}}}},`, `"type": 7}}}},`, 1),
		"a dangling schema": strings.Replace(document, `#/components/schemas/Thing"}}}},`, `#/components/schemas/Ghost"}}}},`, 1),
		"a dangling answer": strings.Replace(document, `{"$ref": "#/components/responses/400"}`, `{"$ref": "#/components/responses/409"}`, 1),
		"a default":         strings.Replace(document, `"417":`, `"default":`, 1),
		"no description":    strings.Replace(document, `{"description": "No body"}`, `{}`, 1),
	} {
		if _, err := openapitest.Parse([]byte(text)); err == nil || text == document {
			t.Errorf("%s: %s", name, fmt.Sprint(err))
		}
	}
}
