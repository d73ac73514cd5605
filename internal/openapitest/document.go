// Package openapitest checks an OpenAPI 3.1 document against what it describes, for tests: every
// example against its schema, and answers of a running system against the answers of their operation.
package openapitest

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// Document is an OpenAPI 3.1 document. Its methods may be called concurrently.
type Document struct {
	root     object
	compiler *jsonschema.Compiler
	paths    []path
	common   map[int]answer // to requests that are for no operation
}

type object = map[string]any

// location is the URL under which the compiler knows the document.
const location = "https://api.invalid/openapi.json"

// Parse reads a document, and compiles the schema of every answer in it.
func Parse(data []byte) (*Document, error) {
	parsed, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("openapitest: %w", err)
	}
	root, ok := parsed.(object)
	if version, _ := root["openapi"].(string); !ok || !strings.HasPrefix(version, "3.1.") {
		return nil, errors.New("openapitest: not an OpenAPI 3.1 document")
	}
	d := &Document{root: root, compiler: jsonschema.NewCompiler()}
	d.compiler.AssertFormat()
	if err := d.compiler.AddResource(location, root); err != nil {
		return nil, fmt.Errorf("openapitest: %w", err)
	}
	if d.common, err = d.readAnswers(child(child(root, "components"), "responses"), "/components/responses"); err != nil {
		return nil, err
	}
	if d.paths, err = d.readPaths(); err != nil {
		return nil, err
	}
	return d, nil
}

// schema compiles the schema at a JSON pointer.
func (d *Document) schema(pointer string) (*jsonschema.Schema, error) {
	s, err := d.compiler.Compile(location + "#" + strings.ReplaceAll(strings.ReplaceAll(pointer, "{", "%7B"), "}", "%7D"))
	if err != nil {
		return nil, fmt.Errorf("openapitest: the schema at %s: %w", pointer, err)
	}
	return s, nil
}

// resolve returns the object that o refers to within the document, or o itself, with its pointer.
func (d *Document) resolve(o object, pointer string) (object, string) {
	ref, ok := strings.CutPrefix(text(o["$ref"]), "#")
	if !ok {
		return o, pointer
	}
	target := d.root
	for _, name := range strings.Split(strings.TrimPrefix(ref, "/"), "/") {
		target = child(target, unescape(name))
	}
	return target, ref
}

func child(o object, name string) object {
	c, _ := o[name].(object)
	return c
}

func text(v any) string {
	s, _ := v.(string)
	return s
}

// escape returns a name as a segment of a JSON pointer.
func escape(name string) string {
	return strings.NewReplacer("~", "~0", "/", "~1").Replace(name)
}

func unescape(segment string) string {
	return strings.NewReplacer("~1", "/", "~0", "~").Replace(segment)
}
