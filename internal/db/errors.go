package db

import (
	"errors"
	"fmt"
)

// Kind says which way a request failed. It is part of the wire format, stored with replies.
type Kind string

const (
	Invalid     Kind = "invalid"     // the request is malformed or names what the schema lacks
	Duplicate   Kind = "duplicate"   // a primary key exists already
	ForeignKey  Kind = "foreign_key" // a row that is referred to does not exist
	Expectation Kind = "expectation" // another number of rows matched than was expected
	KeyReused   Kind = "key_reused"  // the id was used before, for another request; nothing was done
	BadPosition Kind = "position"    // a read asks for a position that the log does not reach
	Unavailable Kind = "unavailable" // nobody can serve it now; nothing was changed
	Unknown     Kind = "unknown"     // it may or may not have been done: retry under the same id
)

// Error is the failure of a request as its caller sees it. All kinds but Unavailable and Unknown
// are final: the same request fails again as long as the data stays as it is.
type Error struct {
	Kind    Kind   `json:"kind"`
	Message string `json:"message"`
	// Op is the index of the failed op of a write; nil where the failure is not one op's.
	Op *int `json:"op,omitempty"`
	// Field is the path of what is wrong in an Invalid request, for example "ops[0].values.source".
	Field string `json:"field,omitempty"`
}

// Error implements error.
func (e *Error) Error() string {
	switch {
	case e.Field != "":
		return fmt.Sprintf("%s: %s: %s", e.Kind, e.Field, e.Message)
	case e.Op != nil:
		return fmt.Sprintf("%s: ops[%d]: %s", e.Kind, *e.Op, e.Message)
	default:
		return fmt.Sprintf("%s: %s", e.Kind, e.Message)
	}
}

// Is lets errors.Is match by kind and, where the target names one, by op: for example
// errors.Is(err, &Error{Kind: Duplicate}).
func (e *Error) Is(target error) bool {
	var t *Error
	if !errors.As(target, &t) || t.Kind != e.Kind {
		return false
	}
	return t.Op == nil || (e.Op != nil && *e.Op == *t.Op)
}

// KindOf returns the kind of err, or "" where err is no *Error.
func KindOf(err error) Kind {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return ""
}

// FailedOp reports whether err is of that kind and was caused by the op with that index.
func FailedOp(err error, kind Kind, op int) bool {
	return errors.Is(err, &Error{Kind: kind, Op: &op})
}

// OpError returns an error of an op.
func OpError(kind Kind, op int, format string, args ...any) *Error {
	return &Error{Kind: kind, Op: &op, Message: fmt.Sprintf(format, args...)}
}

// Errorf returns an error of that kind.
func Errorf(kind Kind, format string, args ...any) *Error {
	return &Error{Kind: kind, Message: fmt.Sprintf(format, args...)}
}

func invalid(field, format string, args ...any) *Error {
	return &Error{Kind: Invalid, Field: field, Message: fmt.Sprintf(format, args...)}
}
