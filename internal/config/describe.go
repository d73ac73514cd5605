package config

import (
	"fmt"
	"reflect"
	"strings"
)

// Variable is a variable that a configuration is read from.
type Variable struct {
	Name    string
	Default string
	Doc     string
}

// Describe lists the variables of a T, in the order of its fields: their names and defaults as
// Load takes them, and the fields' doc tags.
func Describe[T any]() []Variable {
	return describe(reflect.TypeFor[T]())
}

func describe(t reflect.Type) []Variable {
	var variables []Variable
	for i := range t.NumField() {
		tag := t.Field(i).Tag
		if t.Field(i).Anonymous {
			variables = append(variables, describe(t.Field(i).Type)...)
		} else if name, _, _ := strings.Cut(tag.Get("env"), ","); name != "" {
			variables = append(variables, Variable{Name: name, Default: tag.Get("envDefault"), Doc: tag.Get("doc")})
		}
	}
	return variables
}

// Markdown returns the variables as a table.
func Markdown(variables []Variable) string {
	var b strings.Builder
	b.WriteString("| variable | default | meaning |\n|---|---|---|\n")
	for _, v := range variables {
		value := "`" + v.Default + "`"
		if v.Default == "" {
			value = ""
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", v.Name, value, v.Doc)
	}
	return b.String()
}
