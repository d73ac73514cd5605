package db

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"time"
	"unicode/utf8"
)

// Value is what a column holds: an int64 (Integer), a string (Text) or a time.Time (Time). Before
// the master has resolved it, a value of an insert or update may also be a [Next] or [Now].
type Value = any

// Next stands for the next number of the sequence it names: {"$next":"rides"}. A sequence is named
// after a table; its first number is 1, and none is ever handed out twice.
type Next string

// MarshalJSON implements json.Marshaler.
func (n Next) MarshalJSON() ([]byte, error) {
	return json.Marshal(map[string]string{"$next": string(n)})
}

// Now stands for the master's clock: {"$now":true}.
type Now struct{}

// MarshalJSON implements json.Marshaler.
func (Now) MarshalJSON() ([]byte, error) { return []byte(`{"$now":true}`), nil }

// literal converts a raw value, as it came from JSON or from a Go caller, to the column's type.
func (c *Column) literal(raw any) (Value, error) {
	switch c.Type {
	case Integer:
		return integer(raw)
	case Text:
		return c.text(raw)
	case Time:
		return instant(raw)
	}
	return nil, fmt.Errorf("column %s has the unknown type %q", c.Name, c.Type)
}

// expression is literal, but admits $next and $now where the type does.
func (c *Column) expression(raw any) (Value, error) {
	switch v := raw.(type) {
	case Next:
		return c.next(string(v))
	case Now:
		return c.now()
	case map[string]any:
		if name, ok := v["$next"].(string); ok && len(v) == 1 {
			return c.next(name)
		}
		if on, ok := v["$now"].(bool); ok && on && len(v) == 1 {
			return c.now()
		}
		return nil, fmt.Errorf(`an object must be {"$next":"<table>"} or {"$now":true}`)
	default:
		return c.literal(raw)
	}
}

func (c *Column) next(name string) (Value, error) {
	if c.Type != Integer {
		return nil, fmt.Errorf("$next gives an integer, this is a %s", c.Type)
	}
	if _, ok := LookupTable(name); !ok {
		return nil, fmt.Errorf("$next names the unknown sequence %q", clip(name))
	}
	return Next(name), nil
}

func (c *Column) now() (Value, error) {
	if c.Type != Time {
		return nil, fmt.Errorf("$now gives a time, this is a %s", c.Type)
	}
	return Now{}, nil
}

func integer(raw any) (Value, error) {
	switch v := raw.(type) {
	case int64:
		return v, nil
	case int:
		return int64(v), nil
	case uint64:
		if v <= math.MaxInt64 {
			return int64(v), nil
		}
	case json.Number:
		if n, err := v.Int64(); err == nil {
			return n, nil
		}
	}
	return nil, fmt.Errorf("must be a whole number of 64 bits")
}

func (c *Column) text(raw any) (Value, error) {
	s, ok := raw.(string)
	switch {
	case !ok:
		return nil, fmt.Errorf("must be a string")
	case !utf8.ValidString(s):
		return nil, fmt.Errorf("must be valid UTF-8")
	case strings.ContainsRune(s, 0):
		return nil, fmt.Errorf("must not contain NUL")
	case utf8.RuneCountInString(s) > c.Max:
		return nil, fmt.Errorf("must have at most %d characters", c.Max)
	}
	return s, nil
}

func instant(raw any) (Value, error) {
	var t time.Time
	switch v := raw.(type) {
	case time.Time:
		t = v
	case string:
		parsed, err := time.Parse(time.RFC3339Nano, v)
		if err != nil {
			return nil, fmt.Errorf("must be a time as in RFC 3339")
		}
		t = parsed
	default:
		return nil, fmt.Errorf("must be a time as in RFC 3339")
	}
	t = t.UTC().Truncate(time.Microsecond)
	if t.Year() < 1000 || t.Year() > 9999 {
		return nil, fmt.Errorf("must lie in the years 1000 to 9999")
	}
	return t, nil
}
