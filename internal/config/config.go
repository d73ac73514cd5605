// Package config reads configuration from the environment: one struct per program, with the
// defaults beside the fields, read once in main.
//
// The fields carry the tags of github.com/caarlos0/env. A secret may come from a file: where NAME
// is read, NAME_FILE may name the file that holds the value.
package config

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/caarlos0/env/v11"
)

// fileSuffix ends the name of a variable that names a file with the value.
const fileSuffix = "_FILE"

// Load reads a T from the environment, given as by os.Environ. The error names every variable
// that is wrong.
func Load[T any](environ []string) (T, error) {
	var c T
	vars := env.ToMap(environ)
	fields, err := env.GetFieldParams(&c)
	if err != nil {
		return c, fmt.Errorf("configuration: %w", err)
	}
	var faults []error
	for _, f := range fields {
		faults = append(faults, fromFile(vars, f.Key))
	}
	if err := errors.Join(faults...); err != nil {
		return c, fmt.Errorf("configuration: %w", err)
	}
	if err := env.ParseWithOptions(&c, env.Options{Environment: vars}); err != nil {
		return c, fmt.Errorf("configuration: %w", err)
	}
	return c, nil
}

// fromFile sets the variable to what the file holds that its NAME_FILE names, without the line's
// end.
func fromFile(vars map[string]string, name string) error {
	path := vars[name+fileSuffix]
	if path == "" {
		return nil
	}
	if vars[name] != "" {
		return fmt.Errorf("%s and %s are both set: use one", name, name+fileSuffix)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("%s: %w", name+fileSuffix, err)
	}
	vars[name] = strings.TrimRight(string(data), "\r\n")
	return nil
}
