package config

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// variable is a field that is read from a variable.
type variable struct {
	Variable
	index            []int // of the field
	rule             Rule
	required, secret bool
}

// variables lists those of a struct and of the structs embedded in it, in the order of the fields.
func variables(t reflect.Type) []variable {
	var list []variable
	for i := range t.NumField() {
		f := t.Field(i)
		if f.Anonymous {
			for _, v := range variables(f.Type) {
				v.index = append([]int{i}, v.index...)
				list = append(list, v)
			}
			continue
		}
		name, options, _ := strings.Cut(f.Tag.Get("env"), ",")
		if name == "" {
			continue
		}
		list = append(list, variable{
			Variable: Variable{Name: name, Default: f.Tag.Get("envDefault"), Doc: f.Tag.Get("doc")},
			index:    f.Index,
			rule:     ruleOf(f),
			required: slices.Contains(strings.Split(options, ","), "required"),
			secret:   f.Tag.Get("secret") == "true",
		})
	}
	return list
}

// check returns what is wrong with a value. An empty one stands for the default.
func (v variable) check(value string) error {
	switch {
	case value == "" && v.required:
		return fmt.Errorf("%s is not set: set it, or set %s to a file that holds its value (%s)", v.Name, v.Name+fileSuffix, v.Doc)
	case value == "" || v.rule.Allows(value):
		return nil
	case v.secret:
		return fmt.Errorf("%s has a wrong value, which is not shown: it must be %s", v.Name, v.rule.Allowed)
	}
	return v.rule.Check(v.Name, value)
}
