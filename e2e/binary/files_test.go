package binary

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"rideshare/e2e/load"
)

// filled is a data folder with three databases that hold the same, and no process on it.
type filled struct {
	*testing.T
	data    string
	files   []string
	content [][]byte // of each file
	ledger  *load.Ledger
}

// fill runs a system until all of its replicas hold a few hundred rides.
func fill(t *testing.T) *filled {
	t.Helper()
	f := &filled{T: t, data: t.TempDir(), ledger: load.NewLedger()}
	p := run(t, freeAddr(t), f.data)
	if err := p.target.Fill(t.Context(), f.ledger, 400); err != nil {
		t.Fatal(err)
	}
	p.whole()
	if err := p.end(os.Interrupt); err != nil { // which puts everything from the log of each into its file
		t.Fatalf("%v\n%s", err, p.out)
	}
	var err error
	f.files, err = filepath.Glob(filepath.Join(f.data, "pairs", "p*", "rideshare.sqlite"))
	if err != nil || len(f.files) != 3 {
		t.Fatalf("databases: %v, %v", f.files, err)
	}
	for _, file := range f.files {
		c, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		f.content = append(f.content, c)
	}
	return f
}

// write puts content in place of a database.
func (f *filled) write(i int, content []byte) {
	f.Helper()
	if err := os.WriteFile(f.files[i], content, 0o600); err != nil {
		f.Fatal(err)
	}
}

// damaged returns the content of a database with a page of 4 KiB damaged.
func (f *filled) damaged(i, at int) []byte {
	c := bytes.Clone(f.content[i])
	copy(c[at:], bytes.Repeat([]byte{0xa5}, 4096))
	return c
}

// kept returns the content of the databases that were set aside, in the order of their pairs.
func (f *filled) kept() (content [][]byte) {
	f.Helper()
	files, err := filepath.Glob(filepath.Join(f.data, "pairs", "damaged", "p*", "rideshare.sqlite"))
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		c, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		content = append(content, c)
	}
	return content
}

// refuses starts a system that cannot go on, and checks that it says why, where the data is, and what to do.
// Until it has met the damage it may answer with what is true, and with nothing else.
func (f *filled) refuses() {
	f.Helper()
	addr := freeAddr(f.T)
	cmd, out := command(addr, f.data, "run"), &output{}
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Start(); err != nil {
		f.Fatal(err)
	}
	ended, target := make(chan error, 1), load.NewTarget("http://"+addr, "", 1)
	go func() { ended <- cmd.Wait() }()
	var end error
	for over := time.After(30 * time.Second); ; {
		a, err := target.Must(f.Context(), http.StatusOK, http.MethodGet, "/rides/count", nil)
		if count := strings.TrimSpace(string(a.Body)); err == nil && count != fmt.Sprintf("[%d]", f.ledger.Rides()) {
			f.Fatalf("it counts %s rides:\n%s", count, out)
		}
		select {
		case end = <-ended:
		case <-over:
			_ = cmd.Process.Kill()
			f.Fatalf("it does not end:\n%s", out)
		case <-time.After(5 * time.Millisecond):
			continue
		}
		break
	}
	if code := cmd.ProcessState.ExitCode(); code != 1 {
		f.Errorf("it ended with %d, %v", code, end)
	}
	for _, want := range []string{"no copy of the data can be read", filepath.Join(f.data, "pairs", "damaged", "p1-"), "sqlite3 FILE .recover", "rideshare restore"} {
		if !strings.Contains(out.String(), want) {
			f.Errorf("it does not say %q:\n%s", want, out)
		}
	}
	if strings.Contains(out.String(), "everything acknowledged") {
		f.Errorf("it says that all is well:\n%s", out)
	}
}

// serves starts a system that must have everything, and returns it when all replicas serve.
func (f *filled) serves() *process {
	f.Helper()
	p := run(f.T, freeAddr(f.T), f.data)
	for _, fault := range f.ledger.Audit(f.Context(), p.target, false) {
		f.Error(fault)
	}
	p.whole()
	return p
}

func (p *process) whole() {
	p.Helper()
	site := load.Site{TB: p.T, Target: p.target, Patience: 20 * time.Second}
	site.Until("all replicas serve", site.Whole)
}

// TestEmptyDatabases: files that were emptied are damage, and no new database takes their place.
func TestEmptyDatabases(t *testing.T) {
	f := fill(t)
	for i := range f.files {
		f.write(i, nil)
	}
	f.refuses()
	f.refuses() // as it did before
	if kept := f.kept(); len(kept) != 3 {
		t.Errorf("%d databases are kept", len(kept))
	}
	// The system serves the data that an operator has put back.
	if err := os.MkdirAll(filepath.Dir(f.files[0]), 0o700); err != nil {
		t.Fatal(err)
	}
	f.write(0, f.content[0])
	f.serves()
}

// TestMissingDatabases: the folders of the pairs are there, and the databases are not. An operator may have
// the system begin anew.
func TestMissingDatabases(t *testing.T) {
	f := fill(t)
	for _, file := range f.files {
		if err := os.Remove(file); err != nil {
			t.Fatal(err)
		}
	}
	f.refuses()
	if err := os.Rename(filepath.Join(f.data, "pairs", "damaged"), filepath.Join(t.TempDir(), "elsewhere")); err != nil {
		t.Fatal(err)
	}
	p := run(t, freeAddr(t), f.data)
	a, err := p.target.Must(t.Context(), http.StatusOK, http.MethodGet, "/rides/count", nil)
	if err != nil || strings.TrimSpace(string(a.Body)) != "[0]" {
		t.Errorf("after it was told to begin anew: %s, %v", a.Body, err)
	}
}

// TestTheLastCopyIsDamaged: two databases are empty, and the third has a damaged page. It is kept as it is.
func TestTheLastCopyIsDamaged(t *testing.T) {
	const tableLeaf = 0x0d // the first byte of a page with rows of a table
	for name, page := range map[string]func(content []byte) int{
		"its first page": func([]byte) int { return 0 },
		"a page of the rides": func(content []byte) (last int) {
			for at := 4096; at < len(content); at += 4096 {
				if content[at] == tableLeaf {
					last = at
				}
			}
			return last
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := fill(t)
			f.write(0, nil)
			f.write(1, nil)
			at := page(f.content[2])
			damaged := f.damaged(2, at)
			f.write(2, damaged)
			f.refuses()
			kept := f.kept()
			if len(kept) < 3 || len(kept[2]) < len(damaged) {
				t.Fatalf("%d databases are kept", len(kept))
			}
			// One that can be opened is in use until somebody meets the damage: the new epoch is in it.
			different := 0
			for p := 0; p < len(damaged); p += 4096 {
				if !bytes.Equal(kept[2][p:p+4096], damaged[p:p+4096]) {
					different++
				}
			}
			if most := 4; different > most || at == 0 && different > 0 {
				t.Errorf("%d of %d pages of the damaged database were changed", different, len(damaged)/4096)
			}
		})
	}
}

// TestHealthyCopiesReplaceADamagedOne: the damaged database goes out of the way, and is rebuilt from the others.
func TestHealthyCopiesReplaceADamagedOne(t *testing.T) {
	for name, damage := range map[string]func(f *filled) []byte{
		"empty":                func(*filled) []byte { return nil },
		"a damaged first page": func(f *filled) []byte { return f.damaged(0, 0) },
	} {
		t.Run(name, func(t *testing.T) {
			f := fill(t)
			content := damage(f)
			f.write(0, content)
			p := f.serves()
			place := filepath.Join(f.data, "pairs", "damaged", "p1-")
			site := load.Site{TB: t, Target: p.target, Patience: 20 * time.Second}
			site.Until("it says where the data is", func() bool { return strings.Contains(p.out.String(), place) })
			if kept := f.kept(); len(kept) != 1 || !bytes.Equal(kept[0], content) {
				t.Errorf("%d databases are kept, or it was changed", len(kept))
			}
			if err := p.end(os.Interrupt); err != nil {
				t.Fatal(err)
			}
			if p := f.serves(); !strings.Contains(p.out.String(), place) { // as long as it is there
				t.Errorf("after a restart it does not say where the data is:\n%s", p.out)
			}
		})
	}
}

// TestTheDataFolderIsDeleted: what is acknowledged meanwhile and afterwards is on disk.
func TestTheDataFolderIsDeleted(t *testing.T) {
	for name, folder := range map[string]string{"all of it": "", "the databases": "pairs", "one database": "pairs/p1"} {
		t.Run(name, func(t *testing.T) {
			addr, data := freeAddr(t), filepath.Join(t.TempDir(), "data")
			p := run(t, addr, data)
			site := &load.Site{TB: t, Target: p.target, Ledger: load.NewLedger(), Patience: 30 * time.Second}
			p.whole()
			secrets, err := os.ReadFile(filepath.Join(data, "secrets.json"))
			if err != nil {
				t.Fatal(err)
			}
			site.UnderLoad(4, 4, func() {
				more := func() {
					before := site.Ledger.Rides()
					site.Until("rides are acknowledged", func() bool { return site.Ledger.Rides() > before+20 })
				}
				more()
				// The system may create files there while the old ones are being deleted: the folder is not empty then.
				if err := os.RemoveAll(filepath.Join(data, folder)); err != nil && !errors.Is(err, syscall.ENOTEMPTY) {
					t.Fatal(err)
				}
				site.Until("others have taken the place", func() bool {
					files, _ := filepath.Glob(filepath.Join(data, "pairs", "p*", "rideshare.sqlite"))
					_, err := os.Stat(filepath.Join(data, "secrets.json"))
					return len(files) == 3 && err == nil && site.Whole()
				})
				more()
			})
			if !strings.Contains(p.out.String(), "deleted or moved") {
				t.Errorf("it does not say what happened:\n%s", p.out)
			}
			_ = p.end(syscall.SIGKILL) // that it was killed is what it says
			p = run(t, addr, data)
			for _, fault := range site.Ledger.Audit(t.Context(), p.target, true) {
				t.Error(fault)
			}
			if now, err := os.ReadFile(filepath.Join(data, "secrets.json")); err != nil || !bytes.Equal(now, secrets) {
				t.Errorf("the secrets are others: %v", err)
			}
		})
	}
}

// TestTheDataFolderStaysDeleted: where nothing can take its place, no write is acknowledged, status says
// why, and the end is not a good one.
func TestTheDataFolderStaysDeleted(t *testing.T) {
	addr, data := freeAddr(t), filepath.Join(t.TempDir(), "data")
	p := run(t, addr, data)
	p.whole()
	site := &load.Site{TB: t, Target: p.target, Patience: 30 * time.Second}
	site.Until("there is a file where no folder can be made then", func() bool { // before one is made anew
		return os.RemoveAll(data) == nil && os.WriteFile(data, nil, 0o600) == nil
	})
	ctx, cancel := context.WithTimeout(t.Context(), 15*time.Second)
	defer cancel()
	a, err := p.target.Call(ctx, http.MethodPut, "/users", map[string]any{"username": "alice", "password": strings.Repeat("0", 40)})
	if err == nil && a.Code < http.StatusInternalServerError {
		t.Errorf("a write is answered with %d %s", a.Code, a.Body)
	}
	out, err := command(addr, "", "status").CombinedOutput()
	if err != nil || !strings.Contains(string(out), "deleted") {
		t.Errorf("status: %v\n%s", err, out)
	}
	out, _ = command(addr, "", "doctor").CombinedOutput() // its exit code says that it found something
	if !strings.Contains(string(out), "its files were deleted or moved") {
		t.Errorf("doctor:\n%s", out)
	}
	if err := p.end(os.Interrupt); err == nil || strings.Contains(p.out.String(), "everything acknowledged") {
		t.Errorf("at the end: %v\n%s", err, p.out)
	}
	if !strings.Contains(p.out.String(), "deleted or moved") {
		t.Errorf("it does not say what happened:\n%s", p.out)
	}
}
