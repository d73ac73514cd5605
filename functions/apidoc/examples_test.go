package apidoc

import (
	"encoding/json"
	"testing"
)

func TestEveryOperationHasExamples(t *testing.T) {
	data, err := Document("1.2.3")
	if err != nil {
		t.Fatal(err)
	}
	type bodies map[string]struct{ Example any }
	var d struct {
		Paths map[string]map[string]struct {
			OperationID string
			RequestBody struct{ Content bodies }
			Responses   map[string]struct{ Content bodies }
		}
	}
	if err := json.Unmarshal(data, &d); err != nil {
		t.Fatal(err)
	}
	all, err := examples()
	if err != nil {
		t.Fatal(err)
	}
	for path, methods := range d.Paths {
		for method, op := range methods {
			delete(all, op.OperationID)
			if body, ok := op.RequestBody.Content["application/json"]; ok && body.Example == nil {
				t.Errorf("%s %s (%s) has no example of a request", method, path, op.OperationID)
			}
			for code, answer := range op.Responses {
				if body, ok := answer.Content["application/json"]; ok && code < "300" && body.Example == nil {
					t.Errorf("%s %s (%s) has no example of the answer %s", method, path, op.OperationID, code)
				}
			}
		}
	}
	for id := range all {
		t.Errorf("there is an example of %s, which is no operation", id)
	}
}
