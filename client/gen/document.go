package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// document is as much of an OpenAPI document as a client needs.
type document struct {
	Paths      map[string]map[string]*operation
	Components struct{ Schemas map[string]*schema }
}

type operation struct {
	OperationID string
	Summary     string
	Parameters  []parameter
	RequestBody *struct{ Content map[string]media }
	Responses   map[string]struct{ Content map[string]media }
}

type parameter struct {
	Name, In string
	Required bool
	Schema   schema
}

type media struct{ Schema *schema }

type schema struct {
	Ref         string `json:"$ref"`
	Type        types
	Format      string
	Description string
	Items       *schema
	Properties  map[string]*schema
	Required    []string
	OneOf       []*schema
}

// types are the types that a value may have; "null" is left out.
type types []string

// UnmarshalJSON implements json.Unmarshaler: one type is a string, several are a list.
func (t *types) UnmarshalJSON(data []byte) error {
	var list []string
	if data[0] == '"' {
		list = []string{""}
		if err := json.Unmarshal(data, &list[0]); err != nil {
			return err
		}
	} else if err := json.Unmarshal(data, &list); err != nil {
		return err
	}
	*t = slices.DeleteFunc(list, func(s string) bool { return s == "null" })
	return nil
}

// goType returns the Go type of the values of a schema.
func (s *schema) goType() (string, error) {
	if s.Ref != "" {
		return s.Ref[strings.LastIndex(s.Ref, "/")+1:], nil
	}
	if len(s.OneOf) > 0 {
		return s.OneOf[0].goType() // an area, which may be a number or the same as a string
	}
	if len(s.Type) == 0 {
		return "any", nil
	}
	switch s.Type[0] {
	case "string":
		if s.Format == "date-time" {
			return "time.Time", nil
		}
		return "string", nil
	case "integer":
		return "int64", nil
	case "boolean":
		return "bool", nil
	case "object":
		return "map[string]any", nil
	case "array":
		item, err := s.Items.goType()
		return "[]" + item, err
	}
	return "", fmt.Errorf("a schema has the type %v", s.Type)
}

// fieldType is goType for a property: an integer that may be missing is a pointer, as 0 is another
// thing than none.
func (s *schema) fieldType(required bool) (string, error) {
	t, err := s.goType()
	if t == "int64" && !required {
		t = "*int64"
	}
	return t, err
}

// exported makes a Go name of one of the document: "ride_id", "rideId" and "db-write" become RideID,
// RideID and DBWrite.
func exported(name string) string {
	var words []string
	start := 0
	for i, c := range name {
		switch {
		case c == '_' || c == '-':
			words, start = append(words, name[start:i]), i+1
		case c >= 'A' && c <= 'Z' && i > start:
			words, start = append(words, name[start:i]), i
		}
	}
	var out strings.Builder
	for _, w := range append(words, name[start:]) {
		switch lower := strings.ToLower(w); {
		case slices.Contains([]string{"id", "pid", "db"}, lower):
			out.WriteString(strings.ToUpper(w))
		case w != "":
			out.WriteString(strings.ToUpper(w[:1]) + w[1:])
		}
	}
	return out.String()
}

// unexported is exported for an argument.
func unexported(name string) string { return strings.ToLower(name[:1]) + exported(name)[1:] }

func sorted[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
