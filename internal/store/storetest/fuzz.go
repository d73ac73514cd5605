package storetest

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"testing"

	"rideshare/internal/store"
)

func replaceOnce(s, old, new string) string { return strings.Replace(s, old, new, 1) }

// Seal replaces the last line of a snapshot by a right trailer for the lines before it, so that
// what is wrong with them is found by looking at them.
func Seal(snapshot []byte) []byte {
	end := bytes.LastIndexByte(bytes.TrimSuffix(snapshot, []byte("\n")), '\n') + 1
	body := snapshot[:end:end]
	rows := bytes.Count(body, []byte("\n["))
	return fmt.Appendf(body, "{\"rows\":%d,\"sha256\":\"%x\"}\n", rows, sha256.Sum256(body))
}

// FuzzImport feeds Import with snapshots that are damaged, also ones under a right checksum: it
// refuses them and changes nothing, or else the database then exports the same bytes.
func FuzzImport(f *testing.F, create Create) {
	fix := newFixture(f, Features{}, create)
	fix.ctx = f.Context()
	fix.filled()
	good := fix.export()
	small := fix.other().migrated("ann", "bob").export()
	for _, seed := range [][]byte{good, small, good[:len(good)/2], fix.other().export(), nil, []byte("{}\n[]\n")} {
		f.Add(seed, true)
		f.Add(seed, false)
	}
	f.Fuzz(func(t *testing.T, snapshot []byte, seal bool) {
		if seal {
			snapshot = Seal(snapshot)
		}
		fix.TB, fix.ctx = t, t.Context()
		before := fix.export()
		err := fix.Import(fix.ctx, bytes.NewReader(snapshot))
		after := fix.export()
		switch {
		case err == nil && !bytes.Equal(after, snapshot):
			t.Fatalf("imported %q, holds %q", snapshot, after)
		case err != nil && !errors.Is(err, store.ErrBadSnapshot):
			t.Fatal(err)
		case err != nil && !bytes.Equal(after, before):
			t.Fatalf("refused with %v, but changed", err)
		}
	})
}
