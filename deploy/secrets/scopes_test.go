package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"rideshare/internal/secret"
)

// parts are the secrets as programs have them: what holders present, and what verifiers accept.
type parts struct{ holders, verifiers map[string]*secret.Secret }

func follow(t *testing.T, dir string) parts {
	t.Helper()
	open := func(name string) *secret.Secret {
		path := filepath.Join(dir, name)
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		s := &secret.Secret{}
		if err := s.UnmarshalText(text); err != nil {
			t.Fatal(err)
		}
		s.Follow(path)
		return s
	}
	p := parts{map[string]*secret.Secret{}, map[string]*secret.Secret{}}
	for _, name := range []string{serviceToken, databaseToken, metricsToken} {
		p.holders[name], p.verifiers[name] = open(name), open(name+hashesSuffix)
	}
	for _, name := range []string{snapshotToken, tokenKey} {
		p.holders[name], p.verifiers[name] = open(name), open(name)
	}
	return p
}

// check checks that every verifier accepts what every holder presents at this moment.
func (p parts) check(t *testing.T, when string) {
	t.Helper()
	for name, holder := range p.holders {
		if token := holder.Current(); token == "" || !p.verifiers[name].Accepts(token) {
			t.Errorf("%s: %s is refused", when, name)
		}
	}
	if !p.verifiers[metricsToken].Accepts(p.holders[serviceToken].Current()) {
		t.Errorf("%s: the operators' token does not open the metrics", when)
	}
}

// present returns what the holders present.
func (p parts) present() map[string]string {
	tokens := map[string]string{}
	for name, holder := range p.holders {
		tokens[name] = holder.Current()
	}
	return tokens
}

// At no moment of a rotation does a verifier refuse what a holder presents. Afterwards all tokens are new, and the
// former ones end when nothing can have them any more.
func TestRotation(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "secrets")
	generated(t, dir)
	synctest.Test(t, func(t *testing.T) {
		p := follow(t, dir)
		p.check(t, "before")
		former := p.present()
		seconds := func(n int, when string) {
			for range n {
				p.check(t, when)
				time.Sleep(time.Second)
			}
		}
		for range 2 { // it may be repeated
			must(t, rotate(t, dir, rewrite, true, false))
			seconds(3, "while both are accepted")
		}
		for name, token := range p.present() {
			if token != former[name] {
				t.Errorf("%s is new before everybody accepts the new one", name)
			}
		}
		if err := generate(dir, brokers); err != nil { // as `make up` does
			t.Fatal(err)
		}
		seconds(2, "after make up")
		must(t, rotate(t, dir, rewrite, false, true))
		seconds(2, "after the change")
		for name, token := range p.present() {
			if token == former[name] {
				t.Errorf("%s is not new", name)
			}
			if !p.verifiers[name].Accepts(former[name]) {
				t.Errorf("the former %s ended at once", name)
			}
		}
		time.Sleep(overlap)
		for name, token := range former {
			if p.verifiers[name].Accepts(token) != (name == tokenKey) {
				t.Errorf("the former %s after %v", name, overlap)
			}
		}
		time.Sleep(keyOverlap)
		if p.verifiers[tokenKey].Accepts(former[tokenKey]) {
			t.Errorf("the former key after %v", keyOverlap)
		}
		if _, err := open(dir); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("the rotation is still under way: %v", err)
		}
		p.check(t, "at the end")
	})
	generated(t, dir) // checks the permissions
}

// rotate makes the steps of a rotation, and returns the error that cut it short.
func rotate(t *testing.T, dir string, write func(path, text string) error, accepts, uses bool) error {
	t.Helper()
	r, err := begin(dir)
	if err != nil {
		t.Fatal(err)
	}
	r.rewrite = write
	if accepts {
		err = r.accept()
	}
	if err == nil && uses {
		err = r.use(time.Now())
	}
	return err
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// A rotation may be cut short anywhere: what holders present is accepted then, for as long as it takes until it goes
// on, and afterwards it ends as any other.
func TestRotationCutShort(t *testing.T) {
	errCut := errors.New("cut short")
	for n := 0; ; n++ {
		dir := filepath.Join(t.TempDir(), "secrets")
		generated(t, dir)
		finished := false
		synctest.Test(t, func(t *testing.T) {
			p := follow(t, dir)
			former := p.present()
			writes := 0
			err := rotate(t, dir, func(path, text string) error {
				if writes++; writes > n {
					return errCut
				}
				return rewrite(path, text)
			}, true, true)
			finished = err == nil
			if err != nil && !errors.Is(err, errCut) {
				t.Fatal(err)
			}
			for range 4 {
				time.Sleep(overlap / 2)
				p.check(t, fmt.Sprintf("cut short before write %d", n+1))
			}
			if finished {
				return
			}
			if err := rotate(t, dir, rewrite, true, true); err != nil {
				t.Fatal(err)
			}
			time.Sleep(2 * overlap)
			p.check(t, "in the end")
			for name, token := range p.present() {
				if token == former[name] || name != tokenKey && p.verifiers[name].Accepts(former[name]) {
					t.Errorf("cut short before write %d: the former %s is still valid", n+1, name)
				}
			}
		})
		if finished {
			if n != 13 {
				t.Errorf("a rotation has %d writes, want 13", n)
			}
			return
		}
	}
}

// Lines that are not of the rotation stay: tokens of their own that operators have, and former ones that end.
func TestRotationKeepsOtherLines(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "secrets")
	generated(t, dir)
	path := filepath.Join(dir, serviceToken+hashesSuffix)
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := rewrite(path, string(text)+secret.Hash("alice")+"\n"); err != nil {
		t.Fatal(err)
	}
	p := follow(t, dir)
	for range 3 {
		if err := rotate(t, dir, rewrite, true, true); err != nil {
			t.Fatal(err)
		}
		if !p.verifiers[serviceToken].Accepts("alice") {
			t.Fatal("the token of one operator has ended")
		}
	}
}

// A rotation that follows another one ends the former values in their own time.
func TestRotationAgain(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "secrets")
	generated(t, dir)
	synctest.Test(t, func(t *testing.T) {
		p := follow(t, dir)
		signed := ""
		for i := range 3 {
			before := p.present()
			if i == 1 {
				signed = before[tokenKey] // and there are two rotations since
			}
			must(t, rotate(t, dir, rewrite, true, true))
			time.Sleep(time.Second)
			p.check(t, "after a rotation")
			for name, token := range p.present() {
				if token == before[name] {
					t.Errorf("%s is not new", name)
				}
			}
		}
		if !p.verifiers[tokenKey].Accepts(signed) {
			t.Error("two rotations in an hour end the tokens of users")
		}
		if err := os.WriteFile(filepath.Join(dir, pendingFile), []byte(`{"service_token":`), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := begin(dir); err == nil || !strings.Contains(err.Error(), "delete it") {
			t.Errorf("a broken file: %v", err)
		}
		p.check(t, "after a broken file")
	})
}

// An older version had one token. Its programs and the new ones understand each other until the first rotation.
func TestUpgradeKeepsTheToken(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "secrets")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, serviceToken), []byte("OLD"), 0o444); err != nil {
		t.Fatal(err)
	}
	files := generated(t, dir)
	for name, same := range map[string]bool{serviceToken: true, databaseToken: true, snapshotToken: true, metricsToken: false, tokenKey: false} {
		if (files[name] == "OLD") != same {
			t.Errorf("%s is %q", name, files[name])
		}
	}
	must(t, rotate(t, dir, rewrite, true, true))
	if err := os.Remove(filepath.Join(dir, databaseToken)); err != nil {
		t.Fatal(err)
	}
	if again := generated(t, dir); again[databaseToken] == again[serviceToken] {
		t.Error("a token that was deleted comes back as a copy of the operators' token")
	}
	seen := map[string]string{}
	for name, token := range follow(t, dir).present() {
		if other, twice := seen[token]; twice {
			t.Errorf("%s and %s are the same", name, other)
		}
		seen[token] = name
	}
}
