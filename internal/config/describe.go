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
	var described []Variable
	for _, v := range variables(reflect.TypeFor[T]()) {
		described = append(described, v.Variable)
	}
	return described
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
