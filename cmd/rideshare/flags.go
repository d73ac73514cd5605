package main

import (
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/spf13/pflag"

	"rideshare/internal/config"
)

// flagValue is a pflag.Value that says of a wrong value which ones are allowed.
type flagValue[T any] struct {
	to    *T
	kind  string // in the help
	rule  config.Rule
	parse func(string) (T, error)
}

// String, Set and Type implement pflag.Value.
func (f *flagValue[T]) String() string {
	if f.to == nil {
		return ""
	}
	return fmt.Sprint(*f.to)
}

// Set implements pflag.Value.
func (f *flagValue[T]) Set(text string) error {
	if !f.rule.Allows(text) {
		return fmt.Errorf("it must be %s", f.rule.Allowed)
	}
	value, err := f.parse(text)
	if err == nil {
		*f.to = value
	}
	return err
}

// Type implements pflag.Value.
func (f *flagValue[T]) Type() string { return f.kind }

// wholeFlag adds a flag for whole numbers from 1 to most.
func wholeFlag(flags *pflag.FlagSet, to *int, name string, value int, most int64, usage string) {
	*to = value
	flags.Var(&flagValue[int]{to, "number", config.Whole(1, most), strconv.Atoi}, name, usage)
}

// durationFlag adds a flag for durations of at least that.
func durationFlag(flags *pflag.FlagSet, to *time.Duration, name string, value, least time.Duration, usage string) {
	*to = value
	flags.Var(&flagValue[time.Duration]{to, "duration", config.Duration(least), time.ParseDuration}, name, usage)
}

// slavesArgument reads the argument of scale: a number, or auto.
func slavesArgument(text string) (count int64, auto bool, err error) {
	if text == "auto" {
		return 0, true, nil
	}
	if !config.Whole(1, math.MaxInt32).Allows(text) {
		return 0, false, usagef("%q is neither a number nor auto: it must be a whole number of at least 1, or auto", text)
	}
	count, err = strconv.ParseInt(text, 10, 64)
	return count, false, err
}
