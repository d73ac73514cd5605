package db

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	jsonv2 "github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// DecodeWrite reads a write as a caller sends it and checks it. The error is an *Error of kind
// Invalid. Clear and Migrate are not accepted: they are not a caller's.
func DecodeWrite(data []byte) (Write, error) {
	w, err := DecodeQueued(data)
	if err != nil {
		return Write{}, err
	}
	for i, op := range w.Ops {
		if op.Clear {
			return Write{}, invalid(fmt.Sprintf("ops[%d].clear", i), "is not a caller's: an op is an insert, update, delete, check or advance")
		}
	}
	return w, nil
}

// DecodeQueued is DecodeWrite for what the orchestrator has put into the queue: Clear is accepted.
func DecodeQueued(data []byte) (Write, error) {
	var w Write
	if err := decode(data, &w); err != nil {
		return Write{}, err
	}
	for i, op := range w.Ops {
		if op.Migrate != 0 {
			return Write{}, invalid(fmt.Sprintf("ops[%d].migrate", i), "is not a caller's: an op is an insert, update, delete, check or advance")
		}
		if !op.Forget.IsZero() {
			return Write{}, invalid(fmt.Sprintf("ops[%d].forget", i), "is not a caller's")
		}
	}
	return w, w.Check()
}

// DecodeRead reads a read and checks it. The error is an *Error of kind Invalid.
func DecodeRead(data []byte) (Read, error) {
	var r Read
	if err := decode(data, &r); err != nil {
		return Read{}, err
	}
	return r, r.Check()
}

// exact leaves numbers as they are written: a float64 would round large ones.
func exact(d *jsontext.Decoder, v *any) error {
	if d.PeekKind() != '0' {
		return jsonv2.SkipFunc
	}
	number, err := d.ReadValue()
	*v = json.Number(number)
	return err
}

var exactly = jsonv2.WithUnmarshalers(jsonv2.UnmarshalFromFunc(exact))

// Decode reads an answer in one pass, with numbers kept exact. Members that it does not know it skips: newer
// programs may have added them.
func Decode(data []byte, into any) error { return jsonv2.Unmarshal(data, into, exactly) }

// decode reads a request in one pass, with numbers kept exact. It refuses unknown members, members that appear
// twice, and invalid UTF-8, since two readers could understand these differently.
func decode(data []byte, into any) error {
	err := jsonv2.Unmarshal(data, into, exactly, jsonv2.RejectUnknownMembers(true))
	var wrong *jsonv2.SemanticError
	var fault *jsontext.SyntacticError
	switch {
	case err == nil:
		return nil
	case errors.Is(err, jsontext.ErrDuplicateName) && errors.As(err, &fault):
		return invalid(field(fault.JSONPointer), "appears more than once")
	case errors.As(err, &fault):
		what, _, _ := strings.Cut(fault.Err.Error(), " `") // some errors go on with the rest of the text
		return invalid(field(fault.JSONPointer), "is not valid JSON: %s", clip(what))
	case !errors.As(err, &wrong):
		return invalid("", "%s", clip(err.Error()))
	case errors.Is(err, jsonv2.ErrUnknownName):
		return invalid(field(wrong.JSONPointer), "there is no such field")
	case errors.Is(err, strconv.ErrSyntax):
		return invalid(field(wrong.JSONPointer), "must be a whole number")
	case errors.Is(err, strconv.ErrRange):
		return invalid(field(wrong.JSONPointer), "is too large, or too small")
	case wrong.Err != nil:
		return invalid(field(wrong.JSONPointer), "%s", clip(wrong.Err.Error()))
	default:
		return invalid(field(wrong.JSONPointer), "must not be a JSON %s", kind(wrong.JSONKind))
	}
}

func kind(k jsontext.Kind) string {
	switch k {
	case '{':
		return "object"
	case '[':
		return "array"
	case 't', 'f':
		return "boolean"
	default:
		return k.String()
	}
}

// field returns the path of a field as errors name it: "ops[0].values" for "/ops/0/values".
func field(at jsontext.Pointer) string {
	var path strings.Builder
	for name := range at.Tokens() {
		if _, err := strconv.ParseUint(name, 10, 32); err == nil {
			path.WriteString("[" + name + "]")
			continue
		}
		if path.Len() > 0 {
			path.WriteByte('.')
		}
		path.WriteString(name)
	}
	return clip(path.String())
}

// Reply is what the executor of a request answers, and what is stored under the id of a write:
// exactly one of Write, Read, Error and Cleared is set.
type Reply struct {
	Write *WriteResult `json:"write,omitempty"`
	Read  *ReadResult  `json:"read,omitempty"`
	Error *Error       `json:"error,omitempty"`
	// Cleared replaces a stored reply that a clear has discarded. It is the time of the clear. Only
	// requests that were made afterwards are executed anew: the broker may deliver an older message
	// again after its caller got the reply.
	Cleared time.Time `json:"cleared,omitzero"`
	// Digest is the digest of the request that was executed, or empty if it had none.
	Digest string `json:"digest,omitempty"`
}

// Fits returns nil if the reply answers the request with this digest. Otherwise it returns an *Error of
// kind KeyReused: another request was executed under the same id. A reply without a digest, stored by an
// earlier program, fits every request, and so does every reply a request without one.
func (r Reply) Fits(digest string) error {
	if r.Digest == "" || digest == "" || r.Digest == digest {
		return nil
	}
	return &Error{Kind: KeyReused, Field: "Idempotency-Key",
		Message: "was used before, for a request with another body: a new request needs a new key"}
}

// Encode returns the wire form.
func (r Reply) Encode() []byte {
	data, err := json.Marshal(r)
	if err != nil {
		// Values are int64, string and time.Time in range: they always have a JSON form.
		panic("db: a reply has no JSON form: " + err.Error())
	}
	return data
}

// DecodeReply reads the wire form.
func DecodeReply(data []byte) (Reply, error) {
	var r Reply
	if err := Decode(data, &r); err != nil {
		return Reply{}, Errorf(Unknown, "the reply cannot be read: %s", err)
	}
	return r, nil
}

// Passed is a Reply for somebody who passes it on: what is in its results stays as it came.
type Passed struct {
	Write  *Results `json:"write"`
	Read   *Results `json:"read"`
	Error  *Error   `json:"error"`
	Digest string   `json:"digest"`
}

// Results are a WriteResult or a ReadResult, whose results have the form in which they came.
type Results struct {
	Results  jsontext.Value `json:"results"`
	Position Position       `json:"position"`
}

// Encode returns the JSON form, without another look at the results.
func (r *Results) Encode() []byte {
	if len(r.Results) == 0 {
		r = &Results{Results: jsontext.Value("null"), Position: r.Position}
	}
	return fmt.Appendf(nil, `{"results":%s,"position":%q}`, r.Results, r.Position)
}

// DecodePassed reads the wire form of a Reply.
func DecodePassed(data []byte) (Passed, error) {
	var p Passed
	if err := Decode(data, &p); err != nil {
		return Passed{}, Errorf(Unknown, "the reply cannot be read: %s", err)
	}
	return p, nil
}

// Fits is Reply.Fits.
func (p Passed) Fits(digest string) error { return Reply{Digest: p.Digest}.Fits(digest) }
