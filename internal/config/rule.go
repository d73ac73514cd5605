package config

import (
	"encoding"
	"fmt"
	"log/slog"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Rule says which values a variable or a flag may have. That of a field follows from its type, and
// from its tags:
//
//	oneof:"on,off"   a string must be one of these
//	form:"url"       a string must have the form of that name in forms; each part of a []string
//	min:"2"          the least number, or duration
//	secret:"true"    the value is not shown in errors
type Rule struct {
	Allowed string // in words that follow "it must be"
	Allows  func(value string) bool
}

// Check returns an error that names the variable, its value and the allowed values, unless the rule
// allows the value.
func (r Rule) Check(name, value string) error {
	if r.Allows(value) {
		return nil
	}
	return fmt.Errorf("%s is %q: it must be %s", name, value, r.Allowed)
}

// Whole allows whole numbers from least to most.
func Whole(least, most int64) Rule {
	allowed := fmt.Sprintf("a whole number from %d to %d", least, most)
	if most == math.MaxInt64 {
		allowed = fmt.Sprintf("a whole number of at least %d", least)
	}
	return Rule{allowed, func(value string) bool {
		n, err := strconv.ParseInt(value, 10, 64)
		return err == nil && n >= least && n <= most
	}}
}

// Duration allows durations of at least that, as time.ParseDuration reads them.
func Duration(least time.Duration) Rule {
	allowed := "a duration such as 500ms, 10s or 2m"
	switch {
	case least > 0:
		allowed += ", at least " + least.String()
	case least == 0:
		allowed += ", or 0s"
	}
	return Rule{allowed, func(value string) bool {
		d, err := time.ParseDuration(value)
		return err == nil && d >= least
	}}
}

// OneOf allows these values.
func OneOf(values ...string) Rule {
	last := len(values) - 1
	allowed := values[last]
	if last > 0 {
		allowed = strings.Join(values[:last], ", ") + " or " + allowed
	}
	return Rule{allowed, func(value string) bool { return slices.Contains(values, value) }}
}

// anything allows every value.
var anything = Rule{"some text", func(string) bool { return true }}

// ruleOf returns the rule of a field. It panics for a type or a tag that it does not know: that is a
// mistake of the program.
func ruleOf(f reflect.StructField) Rule {
	least, isList := f.Tag.Get("min"), f.Type.Kind() == reflect.Slice
	switch {
	case f.Tag.Get("oneof") != "":
		return OneOf(strings.Split(f.Tag.Get("oneof"), ",")...)
	case f.Tag.Get("form") != "" && isList:
		return each(Form(f.Tag.Get("form")))
	case f.Tag.Get("form") != "":
		return Form(f.Tag.Get("form"))
	case f.Type == reflect.TypeFor[time.Duration]():
		return Duration(parse(least, math.MinInt64, time.ParseDuration))
	case f.Type == reflect.TypeFor[slog.Level]():
		return unmarshaled("DEBUG, INFO, WARN or ERROR", new(slog.Level))
	}
	number := func(text string) (int64, error) { return strconv.ParseInt(text, 10, 64) }
	switch f.Type.Kind() {
	case reflect.Int:
		return Whole(parse(least, math.MinInt32, number), math.MaxInt32)
	case reflect.Uint64:
		return Whole(parse(least, 0, number), math.MaxInt64)
	case reflect.Bool:
		return Rule{"true or false", func(value string) bool { _, err := strconv.ParseBool(value); return err == nil }}
	case reflect.String, reflect.Slice:
		return anything
	default:
		panic(fmt.Sprintf("config: no rule for the field %s of type %s", f.Name, f.Type))
	}
}

// parse returns what a tag says, or the fallback if there is none.
func parse[T any](tag string, fallback T, read func(string) (T, error)) T {
	if tag == "" {
		return fallback
	}
	value, err := read(tag)
	if err != nil {
		panic("config: " + err.Error())
	}
	return value
}

// each allows lists, with commas between, of what a rule allows.
func each(r Rule) Rule {
	return Rule{r.Allowed, func(value string) bool {
		for part := range strings.SplitSeq(value, ",") {
			if !r.Allows(part) {
				return false
			}
		}
		return true
	}}
}

// unmarshaled allows what can be unmarshaled into v.
func unmarshaled(allowed string, v encoding.TextUnmarshaler) Rule {
	return Rule{allowed, func(value string) bool { return v.UnmarshalText([]byte(value)) == nil }}
}
