package httpapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"unicode/utf8"

	jsonv2 "github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// decodeJSON decodes data in one pass, and refuses two things that encoding/json reads in its own way: two
// members of one name in an object (it takes the last) and half of a surrogate pair (it reads "\ud800" as
// U+FFFD).
func decodeJSON(data []byte, v any) error {
	err := jsonv2.Unmarshal(data, v)
	switch {
	case err == nil:
		return nil
	case !utf8.Valid(data):
		return errors.New("is not valid UTF-8")
	}
	// Where both refuse it, encoding/json has the more familiar message.
	if familiar := json.Unmarshal(data, new(any)); familiar != nil {
		return familiar
	}
	if !jsontext.Value(data).IsValid() {
		return strictFault(data)
	}
	return err
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
