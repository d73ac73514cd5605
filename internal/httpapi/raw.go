package httpapi

import (
	"bytes"
	"reflect"

	"github.com/danielgtaylor/huma/v2"
)

// Raw is a body of an operation that is documented as a T, but handed over as it came: for what has
// its own decoder. The operation sets SkipValidateBody.
type Raw[T any] []byte

// UnmarshalJSON implements json.Unmarshaler.
func (r *Raw[T]) UnmarshalJSON(data []byte) error {
	*r = bytes.Clone(data) // huma uses its buffer again
	return nil
}

// Schema implements huma.SchemaProvider.
func (Raw[T]) Schema(r huma.Registry) *huma.Schema {
	return r.Schema(reflect.TypeFor[T](), true, "")
}
