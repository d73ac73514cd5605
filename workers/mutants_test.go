package workers_test

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// mutants are faults that systems of this kind have had. Each is a change of the source, which the simulation has to catch: a simulation that does not find them proves nothing.
var mutants = []struct{ name, file, old, new string }{
	{
		"a reply on the broker's confirm, whatever is read back", "commit.go",
		"	if err := r.write(ctx, requests); err != nil {",
		"	if err := r.write(ctx, requests); err != nil && !errors.Is(err, errDeposed) {",
	},
	{
		"consuming before the own marker was read back", "lead.go",
		"	marker := replog.Record{Kind: replog.MarkerKind, Epoch: epoch, Worker: r.ID, Nonce: newID()}\n",
		"	marker := replog.Record{Kind: replog.MarkerKind, Epoch: epoch, Worker: r.ID, Nonce: newID()}\n" +
			"	if r.Log.Append(ctx, marker.Encode()) == nil {\n		r.state.Epoch = epoch\n		return nil\n	}\n",
	},
	{
		"stored replies are not looked at", "commit.go",
		"if reply, ok := stored[q.id]; ok {", "if reply, ok := stored[q.id]; ok && false {",
	},
	{
		"replies are not stored", "replica.go",
		"		if t.ID == \"\" {", "		if true {",
	},
	{
		"refusals are not stored", "commit.go",
		"			entry.Txs = append(entry.Txs, replog.Tx{ID: q.id, Reply: q.reply})\n", "",
	},
	{
		"refusals do not say which request they answer", "commit.go",
		"return db.Reply{Error: e, Digest: digest}.Encode()", "_ = digest\n	return db.Reply{Error: e}.Encode()",
	},
	{
		"an entry that finds no room is passed over", "replica.go",
		"			if !stuck {", "			if true {",
	},
	{
		"who is at the end of the log serves, whatever others have", "replica.go",
		"			if r.seeded {", "			if true {",
	},
	{
		"where the log has lost its end, who has more gives it up", "../internal/replog/fold.go",
		"	case s.LogID == \"\" && (s.Beyond || ", "	case s.LogID == \"\" && false && (s.Beyond || ",
	},
	{
		"entries of a deposed master count", "../internal/replog/fold.go",
		"case r.Kind == EntryKind && r.Epoch == s.Epoch && r.Seq > s.Seq:",
		"case r.Kind == EntryKind && r.Seq == s.Seq+1 && r.Prev == s.Hash:",
	},
}

// TestMutants builds this package anew with each fault, and has the simulation look for it.
func TestMutants(t *testing.T) {
	if testing.Short() {
		t.Skip("it compiles the package several times")
	}
	for _, m := range mutants {
		t.Run(m.name, func(t *testing.T) {
			source, err := os.ReadFile(m.file)
			if err != nil {
				t.Fatal(err)
			}
			if n := bytes.Count(source, []byte(m.old)); n != 1 {
				t.Fatalf("the place to change stands %d times in %s", n, m.file)
			}
			dir := t.TempDir()
			mutated := filepath.Join(dir, filepath.Base(m.file))
			if err := os.WriteFile(mutated, bytes.Replace(source, []byte(m.old), []byte(m.new), 1), 0o600); err != nil {
				t.Fatal(err)
			}
			original, err := filepath.Abs(m.file)
			if err != nil {
				t.Fatal(err)
			}
			overlay, err := json.Marshal(map[string]any{"Replace": map[string]string{original: mutated}})
			if err != nil {
				t.Fatal(err)
			}
			list := filepath.Join(dir, "overlay.json")
			if err := os.WriteFile(list, overlay, 0o600); err != nil {
				t.Fatal(err)
			}
			binary := filepath.Join(dir, "simulation")
			if out, err := exec.CommandContext(t.Context(), "go", "test", "-c", "-overlay", list, "-o", binary, ".").CombinedOutput(); err != nil {
				t.Fatalf("it does not compile: %v\n%s", err, out)
			}
			out, err := exec.CommandContext(t.Context(), binary, "-test.run", "^TestSimulation$", "-schedules", "3000", "-test.timeout", "2m").CombinedOutput()
			if err == nil {
				t.Fatal("3,000 schedules do not find it")
			}
			if !bytes.Contains(out, []byte("--- FAIL: TestSimulation/seed=")) {
				t.Fatalf("it fails otherwise than by a schedule: %s", out)
			}
		})
	}
}
