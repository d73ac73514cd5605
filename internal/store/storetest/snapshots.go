package storetest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"testing/iotest"

	"rideshare/internal/db"
	"rideshare/internal/store"
)

// filled holds something in every table, and values that are hard to carry.
func (f *fixture) filled() *fixture {
	f.migrated(names...)
	for i := range int64(150) {
		f.write(ride(i-75, names[int(i)%len(names)]), rider(i-75, "ann"), rider(i-75, "ANN"))
	}
	b := f.next()
	b.Sequences = db.Sequences{"rides": 150, "riders": -1}
	b.Replies = []store.StoredReply{
		reply("é", departure), {ID: "bytes", At: departure, Body: []byte{0, 255, '\n', '"'}}, {ID: "empty", At: departure},
	}
	f.ok(f.begin().Commit(f.ctx, b))
	return f
}

func testRoundTrip(f *fixture) {
	f.filled()
	var out bytes.Buffer
	at, err := f.Export(f.ctx, &out)
	f.ok(err)
	f.same("state", at, state(f.seq))
	snapshot := out.Bytes()
	for _, to := range []*fixture{f.other(), f.other().migrated("eve", "ann"), f.other().filled()} {
		f.ok(to.Import(f.ctx, iotest.HalfReader(bytes.NewReader(snapshot))))
		f.same("checksum", to.checksum(), f.checksum())
		f.same("snapshot", bytes.Equal(to.export(), snapshot), true)
		got, err := to.State(f.ctx)
		f.ok(err)
		f.same("state", got, at)
		f.same("rides", to.query(db.Query{Table: "rides"}), f.query(db.Query{Table: "rides"}))
		to.seq = f.seq
		to.write(user("after"))
		_, err = to.try(rider(1, "nobody"))
		f.same("references hold", db.KindOf(err), db.ForeignKey)
	}
}

func testEmptyRoundTrip(f *fixture) {
	snapshot := f.export()
	for _, to := range []*fixture{f.other(), f.other().filled()} {
		f.ok(to.Import(f.ctx, bytes.NewReader(snapshot)))
		f.same("snapshot", bytes.Equal(to.export(), snapshot), true)
		_, err := to.Read(f.ctx, db.Read{Queries: []db.Query{{Table: "users", Count: true}}})
		f.same("unmigrated", db.KindOf(err), db.Unavailable)
		to.migrated("ann")
		f.same("users", to.count("users"), int64(1))
	}
}

// refused fails where the snapshot is not refused.
func (f *fixture) refused(what string, snapshot []byte) {
	f.Helper()
	if err := f.Import(f.ctx, bytes.NewReader(snapshot)); !errors.Is(err, store.ErrBadSnapshot) {
		f.Errorf("%s: %v", what, err)
	}
}

func testForeignSnapshots(f *fixture) {
	old := f.other()
	old.write(db.Op{Migrate: 1})
	old.write(user("ann"), user("bob"))
	good := string(old.export())
	before := f.migrated("eve").export()
	replaced := func(old, new string) []byte {
		f.Helper()
		f.same("occurs", bytes.Contains([]byte(good), []byte(old)), true)
		return Seal([]byte(replaceOnce(good, old, new)))
	}
	for name, snapshot := range map[string][]byte{
		"empty":              nil,
		"no snapshot":        []byte("hello\n"),
		"no line end":        []byte("hello"),
		"zeros":              make([]byte, 100<<10),
		"only the header":    []byte(good[:bytes.IndexByte([]byte(good), '\n')+1]),
		"other format":       replaced("rideshare-snapshot", "mysqldump"),
		"newer format":       replaced(`"version":1`, `"version":2`),
		"no schema":          replaced(`"schema":1`, `"schema":-1`),
		"not its schema":     replaced(`"schema":1`, `"schema":0`),
		"a newer schema":     replaced(`"schema":1`, `"schema":2`),
		"other table":        replaced(`"table":"users"`, `"table":"people"`),
		"other columns":      replaced(`["username","password_hash"]`, `["password_hash","username"]`),
		"too few columns":    replaced(`["ann","hash of ann"]`, `["ann"]`),
		"too many columns":   replaced(`["ann","hash of ann"]`, `["ann","hash of ann",1]`),
		"wrong type":         replaced(`["ann","hash of ann"]`, `["ann",7]`),
		"null":               replaced(`["ann","hash of ann"]`, `["ann",null]`),
		"no JSON":            replaced(`["ann","hash of ann"]`, `["ann","hash of ann"`),
		"other form":         replaced(`["ann","hash of ann"]`, `["\u0061nn","hash of ann"]`),
		"duplicate key":      replaced(`["bob","hash of bob"]`, `["ann","hash of bob"]`),
		"wrong order":        replaced(`["bob","hash of bob"]`, `["aaa","hash of bob"]`),
		"dangling reference": replaced("\"departs_at\"]}\n", "\"departs_at\"]}\n[1,\"nobody\",1,1,1]\n"),
		"two after another":  []byte(good + good),
		"goes on":            []byte(good + "\n"),
	} {
		f.refused(name, snapshot)
		f.same(name+": unchanged", bytes.Equal(f.export(), before), true)
	}
	err := f.Import(f.ctx, bytes.NewReader(replaced(`"schema":1`, fmt.Sprintf(`"schema":%d`, db.LatestMigration+1))))
	f.same("newer schema", errors.Is(err, store.ErrBadSnapshot) && errors.Is(err, store.ErrNewerSchema), true)
	f.ok(f.Import(f.ctx, bytes.NewReader(Seal([]byte(good)))))
}

func testDamagedSnapshots(f *fixture) {
	from := f.other().migrated("ann", "\x01 ann")
	from.write(ride(1, "ann"), rider(1, "ann"))
	b := from.next()
	b.Sequences, b.Replies = db.Sequences{"rides": 1}, []store.StoredReply{reply("a", departure)}
	f.ok(from.begin().Commit(f.ctx, b))
	good := from.export()
	before := f.migrated("eve").export()
	for i := 0; i < len(good); i += 31 {
		f.refused(fmt.Sprintf("cut at %d", i), good[:i])
	}
	f.refused("cut at the last byte", good[:len(good)-1])
	for i := 0; i+1 < len(good); i += 5 {
		bad := bytes.Clone(good)
		bad[i] ^= 1 << (i % 8)
		f.refused(fmt.Sprintf("bit flipped at %d", i), bad)
		bad = bytes.Clone(good)
		bad[i+1] ^= 0x20 // changes the case of a letter, which JSON may forgive
		f.refused(fmt.Sprintf("case changed at %d", i+1), bad)
	}
	f.same("unchanged", bytes.Equal(f.export(), before), true)
	f.ok(f.Import(f.ctx, bytes.NewReader(good)))
	f.same("checksum", f.checksum(), from.checksum())
}

// testFailingStreams: the stream's own error comes back, and nothing has changed.
func testFailingStreams(f *fixture) {
	f.filled()
	snapshot, sum := f.export(), f.checksum()
	lost := errors.New("connection lost")
	for _, n := range []int{0, 10, len(snapshot) / 2, len(snapshot)} {
		err := f.Import(f.ctx, io.MultiReader(bytes.NewReader(snapshot[:n]), iotest.ErrReader(lost)))
		f.same("import", errors.Is(err, lost) && !errors.Is(err, store.ErrBadSnapshot), true)
	}
	_, err := f.Export(f.ctx, writerFunc(func([]byte) (int, error) { return 0, lost }))
	f.same("export", errors.Is(err, lost), true)
	f.same("checksum", f.checksum(), sum)
}

type writerFunc func([]byte) (int, error)

func (w writerFunc) Write(p []byte) (int, error) { return w(p) }
