package httpapi

import (
	"bytes"
	"reflect"

	"github.com/danielgtaylor/huma/v2"
)

// Raw is a body of an operation that is documented as a T, but handed over as it came: for what has
// its own decoder, which has to be as strict as decodeJSON. The operation sets SkipValidateBody.
type Raw[T any] []byte

// set takes the body as it came, whether or not it is JSON.
func (r *Raw[T]) set(body []byte) { *r = bytes.Clone(body) } // huma uses its buffer again

// Schema implements huma.SchemaProvider.
func (Raw[T]) Schema(r huma.Registry) *huma.Schema {
	return r.Schema(reflect.TypeFor[T](), true, "")
}
