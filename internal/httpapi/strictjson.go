package httpapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// decodeJSON is json.Unmarshal, but refuses two things that encoding/json reads in its own way: two
// members of one name in an object (it takes the last) and half of a surrogate pair (it reads
// "\ud800" as U+FFFD). Both refuse nesting beyond 10,000 levels.
func decodeJSON(data []byte, v any) error {
	if !utf8.Valid(data) {
		return errors.New("is not valid UTF-8")
	}
	if !jsontext.Value(data).IsValid() {
		// Where both refuse it, encoding/json has the more familiar message.
		if err := json.Unmarshal(data, new(any)); err != nil {
			return err
		}
		return strictFault(data)
	}
	return json.Unmarshal(data, v)
}

// strictFault says why jsontext refuses what encoding/json takes.
func strictFault(data []byte) error {
	err := jsontext.NewDecoder(bytes.NewBuffer(data)).SkipValue()
	var fault *jsontext.SyntacticError
	switch {
	case !errors.As(err, &fault):
		return errors.New("is not one JSON value")
	case errors.Is(fault, jsontext.ErrDuplicateName):
		return fmt.Errorf("the member %s appears more than once", fault.JSONPointer)
	default:
		return fmt.Errorf("at offset %d: %w; half of a pair is no character", fault.ByteOffset, fault.Err)
	}
}
