// Package config reads configuration from the environment: one struct per program, with the
// defaults and the allowed values beside the fields, read once in main.
//
// The fields carry the tags of github.com/caarlos0/env, and those that Rule describes. A secret may
// come from a file: where NAME is read, NAME_FILE may name the file that holds the value. A field of type
// *secret.Secret follows that file; it is nil where neither is set.
package config

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"reflect"
	"strings"

	"github.com/caarlos0/env/v11"

	"rideshare/internal/secret"
)

// fileSuffix ends the name of a variable that names a file with the value.
const fileSuffix = "_FILE"

// Load reads a T from the environment, given as by os.Environ. The error names every variable
// that is wrong, its value unless that is secret, and the values that are allowed. A T that has a
// method Check() error is asked, too, once each variable alone is right.
func Load[T any](environ []string) (T, error) {
	var c T
	vars := env.ToMap(environ)
	var faults []error
	for _, v := range variables(reflect.TypeFor[T]()) {
		if err := fromFile(vars, v.Name); err != nil {
			faults = append(faults, err)
		} else if err := v.check(vars[v.Name]); err != nil {
			faults = append(faults, err)
		}
	}
	err := errors.Join(faults...)
	if err == nil {
		err = env.ParseWithOptions(&c, env.Options{Environment: vars})
	}
	if err == nil {
		follow(&c, vars)
	}
	if checked, ok := any(c).(interface{ Check() error }); ok && err == nil {
		err = checked.Check()
	}
	if err != nil {
		return c, fmt.Errorf("configuration: %w", err)
	}
	return c, nil
}

// follow tells the secrets which files they came from, so that they notice changes.
func follow[T any](c *T, vars map[string]string) {
	for _, v := range variables(reflect.TypeFor[T]()) {
		path := vars[v.Name+fileSuffix]
		if s, ok := reflect.ValueOf(c).Elem().FieldByIndex(v.index).Interface().(*secret.Secret); ok && path != "" {
			s.Follow(path)
		}
	}
}

// Check returns what is wrong with each field of a configuration that was not loaded.
func Check(c any) error {
	var faults []error
	for _, v := range variables(reflect.TypeOf(c)) {
		faults = append(faults, v.check(text(reflect.ValueOf(c).FieldByIndex(v.index))))
	}
	return errors.Join(faults...)
}

// text is a value as a variable would give it.
func text(v reflect.Value) string {
	if list, ok := v.Interface().([]string); ok {
		return strings.Join(list, ",")
	}
	return fmt.Sprint(v.Interface())
}

// maxFile is the largest file that holds a value, in bytes.
const maxFile = 64 << 10

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
	data, err := readFile(path)
	value := strings.TrimRight(string(data), "\r\n")
	switch {
	case err != nil:
		err = pathless(err)
	case len(data) > maxFile:
		err = fmt.Errorf("the file is larger than %d bytes", maxFile)
	case value == "":
		err = errors.New("the file is empty")
	}
	if err != nil {
		return fmt.Errorf("%s is %q: it must name a file that holds the value of %s: %w", name+fileSuffix, path, name, err)
	}
	vars[name] = value
	return nil
}

// readFile reads a file, and not much more than maxFile of it.
func readFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // it is only read
	return io.ReadAll(io.LimitReader(f, maxFile+1))
}

// pathless returns the cause of an error that begins with a path.
func pathless(err error) error {
	var e *fs.PathError
	if errors.As(err, &e) {
		return e.Err
	}
	return err
}
