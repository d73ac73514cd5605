package apidoc

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

//go:embed examples.json
var examplesFile []byte

// example is an example of an operation: what is sent, and what comes back where all is well.
type example struct {
	Request any    `json:"request"`
	Answer  any    `json:"answer"`
	Like    string `json:"like"` // the operation that has the same answer
}

// examples returns the examples by the operations' ids.
func examples() (map[string]example, error) {
	var all map[string]example
	if err := json.Unmarshal(examplesFile, &all); err != nil {
		return nil, fmt.Errorf("apidoc: examples: %w", err)
	}
	for id, e := range all {
		if e.Like != "" {
			e.Answer = all[e.Like].Answer
			all[id] = e
		}
	}
	return all, nil
}

// addExamples puts the examples into the document.
func addExamples(document *huma.OpenAPI) error {
	all, err := examples()
	if err != nil {
		return err
	}
	for _, path := range document.Paths {
		for _, op := range []*huma.Operation{path.Get, path.Put, path.Post, path.Delete, path.Patch} {
			if op == nil {
				continue
			}
			e := all[op.OperationID]
			if op.RequestBody != nil {
				set(op.RequestBody.Content, e.Request)
			}
			for code, answer := range op.Responses {
				if strings.HasPrefix(code, "2") {
					set(answer.Content, e.Answer)
				}
			}
		}
	}
	return nil
}

// set sets the example of a body. No JSON: the operation has none there.
func set(content map[string]*huma.MediaType, example any) {
	if body := content["application/json"]; body != nil && example != nil {
		body.Example = example
	}
}
