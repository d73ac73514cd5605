package rabbitmq

import (
	"bytes"
	"reflect"
	"testing"
	"time"
)

func TestFrame(t *testing.T) {
	at := time.UnixMilli(1_700_000_000_123)
	want := []part{
		{correlation: "a", id: "key", trace: "00-1", deadline: at.Add(time.Second), published: at, body: []byte(`{"ops":[]}`)},
		{correlation: "b", body: []byte{}},
		{correlation: "c", id: "ü", body: bytes.Repeat([]byte{0xff}, 300)},
	}
	frame := encodeFrame(want)
	got, err := decodeFrame(frame)
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Fatalf("decoded %v, %v", got, err)
	}
	whole := 0
	for end := range frame {
		got, err := decodeFrame(frame[:end])
		if err == nil && !reflect.DeepEqual(got, want[:len(got)]) && len(got) > 0 {
			t.Fatalf("the first %d bytes are %v", end, got)
		}
		if err == nil {
			whole++
		}
	}
	if whole != len(want) { // none, the first, the first two
		t.Errorf("%d beginnings of a frame are taken for a whole one", whole)
	}
}

// FuzzFrame: what is taken for a frame is the same again when it is written anew.
func FuzzFrame(f *testing.F) {
	f.Add(encodeFrame([]part{{correlation: "a", id: "key", trace: "00-1", published: time.UnixMilli(1), body: []byte("body")}, {}}))
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1})
	f.Fuzz(func(t *testing.T, data []byte) {
		parts, err := decodeFrame(data)
		if err != nil {
			return
		}
		again, err := decodeFrame(encodeFrame(parts))
		if err != nil || !reflect.DeepEqual(again, parts) {
			t.Fatalf("%v became %v, %v", parts, again, err)
		}
	})
}
