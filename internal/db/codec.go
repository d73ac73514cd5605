package db

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"
	"unicode/utf8"
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

// decode reads exactly one JSON value, with numbers kept exact and unknown members refused.
func decode(data []byte, into any) error {
	if !utf8.Valid(data) {
		return invalid("", "the body is not valid UTF-8")
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	d.DisallowUnknownFields()
	err := d.Decode(into)
	if err == nil {
		if name := oddName(data[:d.InputOffset()]); name != "" {
			return invalid(name, "there is no such field")
		}
		if _, more := d.Token(); !errors.Is(more, io.EOF) {
			return invalid("", "the body goes on after the request")
		}
		return nil
	}
	var typed *json.UnmarshalTypeError
	switch {
	case errors.Is(err, io.EOF):
		return invalid("", "the body is empty")
	case errors.As(err, &typed):
		return invalid(typed.Field, "must not be a JSON %s", typed.Value)
	default:
		return invalid("", "%s", clip(err.Error()))
	}
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
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	if err := d.Decode(&r); err != nil {
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
	Results  json.RawMessage `json:"results"`
	Position Position        `json:"position"`
}

// DecodePassed reads the wire form of a Reply.
func DecodePassed(data []byte) (Passed, error) {
	var p Passed
	if err := json.Unmarshal(data, &p); err != nil {
		return Passed{}, Errorf(Unknown, "the reply cannot be read: %s", err)
	}
	return p, nil
}

// Fits is Reply.Fits.
func (p Passed) Fits(digest string) error { return Reply{Digest: p.Digest}.Fits(digest) }
