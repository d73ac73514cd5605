package backup_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"

	"rideshare/internal/backup"
	"rideshare/internal/db"
	"rideshare/internal/replog"
	"rideshare/internal/store"
	"rideshare/internal/store/memory"
)

var (
	taken    = time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	departs  = time.Date(2026, 12, 25, 8, 30, 0, 123000, time.UTC)
	contents = []db.Op{
		{Insert: "users", Values: map[string]db.Value{"username": "Ann \"ü\"\n<&>", "password_hash": "h"}},
		{Insert: "rides", Values: map[string]db.Value{"ride_id": int64(7), "created_by": "Ann \"ü\"\n<&>", "source": int64(1), "destination": int64(2), "departs_at": departs}},
	}
)

// exported returns the snapshot of a database with these contents at position 3.seq.
func exported(t *testing.T, seq uint64, replies ...store.StoredReply) []byte {
	t.Helper()
	ctx := t.Context()
	s := memory.New().Open()
	tx, err := s.Begin(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Execute(ctx, append([]db.Op{{Migrate: 1}}, contents...)); err != nil {
		t.Fatal(err)
	}
	err = tx.Commit(ctx, store.Bookkeeping{
		State:     replog.State{LogID: "log", Epoch: 3, Seq: seq},
		Sequences: db.Sequences{"rides": 9}, Replies: replies,
	})
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if _, err := s.Export(ctx, &out); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func convert(snapshot []byte) ([]byte, error) {
	s, err := backup.NewSnapshot(bytes.NewReader(snapshot))
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	err = s.Write(&out, taken, 42)
	return out.Bytes(), err
}

func mustConvert(t *testing.T, snapshot []byte) []byte {
	t.Helper()
	data, err := convert(snapshot)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// read reads a backup to its end.
func read(data []byte) (h backup.Header, ops []db.Op, seqs db.Sequences, end backup.Trailer, err error) {
	r, err := backup.NewReader(iotest.OneByteReader(bytes.NewReader(data)))
	if err != nil {
		return h, nil, nil, end, err
	}
	end, err = r.Read(
		func(op db.Op) error { ops = append(ops, op); return nil },
		func(s db.Sequences) error { seqs = s; return nil },
	)
	return r.Header, ops, seqs, end, err
}

func TestRoundTrip(t *testing.T) {
	data := mustConvert(t, exported(t, 1024, store.StoredReply{ID: "key", At: taken, Body: []byte("secret reply")}))
	header, ops, seqs, end, err := read(data)
	if err != nil {
		t.Fatal(err)
	}
	want := backup.Header{Format: "rideshare-backup", Version: 1, Schema: 1, Position: db.Position{Epoch: 3, Seq: 1024}, TakenAt: taken, Estimate: 42}
	if diff := cmp.Diff(want, header); diff != "" {
		t.Errorf("header (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(contents, ops); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
	if !cmp.Equal(seqs, db.Sequences{"rides": 9}) || end.Rows != 2 {
		t.Errorf("sequences %v, trailer %+v", seqs, end)
	}
	if bytes.Contains(data, []byte("replica")) || bytes.Contains(data, []byte(`"log"`)) {
		t.Errorf("what belongs to the replica is in the backup:\n%s", data)
	}
}

// The sum of the content is that of what callers see, wherever and whenever it was taken.
func TestContentDependsOnNothingElse(t *testing.T) {
	_, _, _, one, err := read(mustConvert(t, exported(t, 1024)))
	if err != nil {
		t.Fatal(err)
	}
	_, _, _, other, err := read(mustConvert(t, exported(t, 7, store.StoredReply{ID: "key", At: taken})))
	if err != nil || one.Content != other.Content || one.Sum == other.Sum {
		t.Errorf("%+v and %+v: %v", one, other, err)
	}
}

// A backup of an old schema reads as inserts without the columns that were added later. The content of
// what they make compares with its own.
func TestOldSchema(t *testing.T) {
	_, ops, _, old, err := read(mustConvert(t, exported(t, 1024)))
	if err != nil {
		t.Fatal(err)
	}
	resolved, _ := db.Resolve(db.Write{Ops: ops}, db.Sequences{}, taken)
	if account := resolved[0].Values["account"]; account == "" || account == resolved[0].Values["generation"] {
		t.Errorf("the account is %q", account)
	}
	ctx := t.Context()
	s := memory.New().Open()
	tx, err := s.Begin(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Execute(ctx, append([]db.Op{{Migrate: db.LatestMigration}}, resolved...)); err != nil {
		t.Fatal(err)
	}
	if err := tx.Commit(ctx, store.Bookkeeping{State: replog.State{LogID: "log", Epoch: 1, Seq: 1}}); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if _, err := s.Export(ctx, &out); err != nil {
		t.Fatal(err)
	}
	now := mustConvert(t, out.Bytes())
	for schema, same := range map[int]bool{1: true, 2: false, 3: false} {
		r, err := backup.NewReader(bytes.NewReader(now))
		if err != nil {
			t.Fatal(err)
		}
		r.ContentAt(schema)
		end, err := r.Read(nil, nil)
		if err != nil || (end.Content == old.Content) != same {
			t.Errorf("as schema %d: %+v, %v; the old one is %+v", schema, end, err, old)
		}
	}
}

// Every damage is noticed: a cut at any place, and any byte that is another one.
func TestDamage(t *testing.T) {
	snapshot := exported(t, 1024, store.StoredReply{ID: "key", At: taken, Body: []byte("reply")})
	for name, try := range map[string]struct {
		whole []byte
		read  func([]byte) error
	}{
		"snapshot": {snapshot, func(b []byte) error { _, err := convert(b); return err }},
		"backup":   {mustConvert(t, snapshot), func(b []byte) error { _, _, _, _, err := read(b); return err }},
	} {
		if err := try.read(append(bytes.Clone(try.whole), '\n')); !errors.Is(err, backup.ErrBad) {
			t.Errorf("%s with something behind its end: %v", name, err)
		}
		for i := range try.whole {
			if err := try.read(try.whole[:i]); !errors.Is(err, backup.ErrBad) {
				t.Errorf("%s of %d bytes cut to %d: %v", name, len(try.whole), i, err)
			}
			damaged := bytes.Clone(try.whole)
			damaged[i] ^= 1
			if err := try.read(damaged); !errors.Is(err, backup.ErrBad) {
				t.Errorf("%s with another byte at %d: %v", name, i, err)
			}
		}
	}
}

// What has a right checksum and yet cannot be written to this schema is refused, too.
func TestRefusesOtherSchemas(t *testing.T) {
	good := string(mustConvert(t, exported(t, 1)))
	for name, edit := range map[string][2]string{
		"format":  {"rideshare-backup", "rideshare-other"},
		"version": {`"version":1`, `"version":2`},
		"schema":  {`"schema":1`, `"schema":99`},
		"table":   {`"table":"rides"`, `"table":"cars"`},
		"columns": {`"source","destination"`, `"destination","source"`},
		"type":    {`,1,2,`, `,"1",2,`},
		"cells":   {`,1,2,`, `,1,2,3,`},
	} {
		if !strings.Contains(good, edit[0]) {
			t.Fatalf("%s: nothing to change", name)
		}
		if _, _, _, _, err := read([]byte(strings.Replace(good, edit[0], edit[1], 1))); !errors.Is(err, backup.ErrBad) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestErrorsOfTheReaderStayWhatTheyAre(t *testing.T) {
	data := mustConvert(t, exported(t, 1))
	away := errors.New("away")
	r, err := backup.NewReader(iotest.DataErrReader(bytes.NewReader(data[:200])))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Read(nil, nil); !errors.Is(err, backup.ErrBad) {
		t.Errorf("cut short: %v", err)
	}
	if _, err := backup.NewReader(iotest.ErrReader(away)); !errors.Is(err, away) || errors.Is(err, backup.ErrBad) {
		t.Errorf("an error of the reader: %v", err)
	}
	r, err = backup.NewReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Read(func(db.Op) error { return away }, nil); !errors.Is(err, away) {
		t.Errorf("an error of the function: %v", err)
	}
}

func FuzzReader(f *testing.F) {
	f.Add([]byte(`{"format":"rideshare-backup","version":1,"schema":1,"position":"3.1","taken_at":"2026-11-22T10:00:00Z"}` + "\n" + `{"table":"users","columns":["username","password_hash"]}` + "\n" + `["a","h"]` + "\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		_, ops, _, _, err := read(data)
		if err != nil && !errors.Is(err, backup.ErrBad) {
			t.Fatal(err)
		}
		if _, err := json.Marshal(ops); err != nil {
			t.Fatalf("what was read cannot be sent: %v", err)
		}
	})
}
