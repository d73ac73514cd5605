// Package template checks template.yaml and deploy/aws/data-plane.yaml against each other, against the
// programs that they configure, and against the API that they route.
package template

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

const (
	functionsFile = "template.yaml"
	dataPlaneFile = "deploy/aws/data-plane.yaml"
)

// object is a mapping of a template. The short forms of functions, such as !Ref x, are written out, as
// {"Ref": "x"}: so there is one form of each.
type object = map[string]any

// load reads a template of this repository.
func load(t *testing.T, path string) object {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("../..", path))
	if err != nil {
		t.Fatal(err)
	}
	template, err := parse(data)
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return template
}

func parse(data []byte) (object, error) {
	var document yaml.Node
	if err := yaml.Unmarshal(data, &document); err != nil {
		return nil, err
	}
	if len(document.Content) != 1 {
		return nil, fmt.Errorf("there is no document")
	}
	value, err := plain(document.Content[0])
	if err != nil {
		return nil, err
	}
	template, ok := value.(object)
	if !ok {
		return nil, fmt.Errorf("the document is not a mapping")
	}
	return template, nil
}

// plain returns the node as object, []any or scalar. What CloudFormation does not take, aliases and
// merge keys, is an error; so is a key that is there twice.
func plain(n *yaml.Node) (any, error) {
	value, err := untagged(n)
	if err != nil || !strings.HasPrefix(n.Tag, "!") || strings.HasPrefix(n.Tag, "!!") {
		return value, err
	}
	switch name := n.Tag[1:]; name {
	case "Ref", "Condition":
		return object{name: value}, nil
	case "GetAtt":
		if s, ok := value.(string); ok {
			resource, attribute, _ := strings.Cut(s, ".")
			value = []any{resource, attribute}
		}
		return object{"Fn::GetAtt": value}, nil
	default:
		return object{"Fn::" + name: value}, nil
	}
}

func untagged(n *yaml.Node) (any, error) {
	switch n.Kind {
	case yaml.MappingNode:
		mapping := object{}
		for i := 0; i < len(n.Content); i += 2 {
			key := n.Content[i].Value
			if _, twice := mapping[key]; twice || key == "<<" {
				return nil, fmt.Errorf("line %d: the key %q is there twice, or merges", n.Content[i].Line, key)
			}
			value, err := plain(n.Content[i+1])
			if err != nil {
				return nil, err
			}
			mapping[key] = value
		}
		return mapping, nil
	case yaml.SequenceNode:
		list := []any{}
		for _, item := range n.Content {
			value, err := plain(item)
			if err != nil {
				return nil, err
			}
			list = append(list, value)
		}
		return list, nil
	case yaml.ScalarNode:
		if strings.HasPrefix(n.Tag, "!") && !strings.HasPrefix(n.Tag, "!!") {
			return n.Value, nil // the argument of a function
		}
		var value any
		err := n.Decode(&value)
		return value, err
	default:
		return nil, fmt.Errorf("line %d: CloudFormation does not take aliases", n.Line)
	}
}

// get returns what is at the path, nil where there is nothing.
func get(value any, path ...string) any {
	for _, key := range path {
		mapping, _ := value.(object)
		value = mapping[key]
	}
	return value
}

// at returns the mapping at the path, which may be absent.
func at(value any, path ...string) object {
	mapping, _ := get(value, path...).(object)
	return mapping
}

// resources returns the resources of that type, by name.
func resources(template object, typ string) map[string]object {
	found := map[string]object{}
	for name, resource := range at(template, "Resources") {
		if get(resource, "Type") == typ {
			found[name] = at(resource, "Properties")
		}
	}
	return found
}

// walk calls visit with every value, and with the key that it stands under.
func walk(key string, value any, visit func(key string, value any)) {
	visit(key, value)
	switch value := value.(type) {
	case object:
		for k, v := range value {
			walk(k, v, visit)
		}
	case []any:
		for _, v := range value {
			walk(key, v, visit)
		}
	}
}
