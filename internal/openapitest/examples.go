package openapitest

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
)

// CheckExamples checks every example in the document against its schema: those of bodies, answers,
// parameters and headers, and those inside of schemas. It returns how many there are; the error
// names each that does not fit, by its JSON pointer.
func (d *Document) CheckExamples() (int, error) {
	c := exampleCheck{document: d}
	c.walk(d.root, "")
	return c.checked, errors.Join(c.faults...)
}

type exampleCheck struct {
	document *Document
	checked  int
	faults   []error
}

// values are the members whose content is data, and no part of the document's structure.
var values = []string{"example", "examples", "default", "enum", "const"}

func (c *exampleCheck) walk(node any, pointer string) {
	switch node := node.(type) {
	case []any:
		for i, item := range node {
			c.walk(item, pointer+"/"+strconv.Itoa(i))
		}
	case object:
		c.check(node, pointer)
		for _, name := range slices.Sorted(maps.Keys(node)) {
			at := pointer + "/" + escape(name)
			switch {
			case slices.Contains(values, name):
			case name == "properties": // the names below are those of the API
				for property, schema := range child(node, name) {
					c.walk(schema, at+"/"+escape(property))
				}
			default:
				c.walk(node[name], at)
			}
		}
	}
}

// check checks the examples that stand in one object. A media type, a parameter and a header have a
// schema beside them; a schema is its own.
func (c *exampleCheck) check(o object, pointer string) {
	schema := pointer
	if child(o, "schema") != nil {
		schema += "/schema"
	}
	if example, ok := o["example"]; ok {
		c.validate(schema, pointer+"/example", example)
	}
	switch examples := o["examples"].(type) {
	case []any:
		for i, example := range examples {
			c.validate(schema, fmt.Sprintf("%s/examples/%d", pointer, i), example)
		}
	case object:
		for name := range examples {
			at := pointer + "/examples/" + escape(name)
			c.validate(schema, at, child(examples, name)["value"])
		}
	}
}

func (c *exampleCheck) validate(schema, at string, example any) {
	c.checked++
	s, err := c.document.schema(schema)
	if err == nil {
		err = s.Validate(example)
	}
	if err != nil {
		c.faults = append(c.faults, fmt.Errorf("%s: %w", at, err))
	}
}
