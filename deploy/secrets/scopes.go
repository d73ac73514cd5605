package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"rideshare/internal/atomicfile"
	"rideshare/internal/auth"
	"rideshare/internal/secret"
)

// The files of the tokens, one token for each scope (docs/decisions/0027-scopes.md). Programs that only verify a
// token get its hashes, and programs that hold it get the token. Workers both hold and verify theirs.
const (
	serviceToken  = "service_token"  // of operators; no container has it
	databaseToken = "database_token" // of users and rides
	metricsToken  = "metrics_token"  // of Prometheus
	snapshotToken = "snapshot_token" // of workers and the orchestrator
	tokenKey      = "token_key"      // signs the tokens of users

	hashesSuffix = "_hashes"
)

// hashed maps each file of hashes to the files of the tokens that it accepts.
var hashed = map[string][]string{
	serviceToken:  {serviceToken},
	databaseToken: {databaseToken},
	metricsToken:  {metricsToken, serviceToken},
}

// lined are the secrets that their holders verify, too: old and new value are in the same file.
var lined = []string{snapshotToken, tokenKey}

// overlap is how long a former token stays valid: holders use the new one within a second, and a request that was
// sent before ends within 15 s.
const overlap = time.Minute

// keyOverlap is how long the former key verifies tokens of users: until the last that it signed has expired.
const keyOverlap = auth.TokenLifetime + overlap

// pendingFile holds the new values between accept and use.
const pendingFile = "rotation.json"

// keepTokens makes the tokens that are missing, and the files of hashes.
func keepTokens(dir string) error {
	former, err := os.ReadFile(filepath.Join(dir, serviceToken))
	upgrade := err == nil
	if _, err := os.Lstat(filepath.Join(dir, serviceToken+hashesSuffix)); err == nil {
		upgrade = false // a token that is missing was deleted
	}
	for _, name := range tokens() {
		content := random
		if upgrade && (name == databaseToken || name == snapshotToken) {
			// Programs of the version before know one token alone, and run beside the new ones for a while.
			content = func() (string, error) {
				fmt.Fprintf(os.Stderr, "secrets: %s begins as a copy of %s, for the upgrade. When it is done: make rotate-secrets\n", name, serviceToken)
				return strings.TrimSpace(string(former)), nil
			}
		}
		if _, err := keep(dir, name, content); err != nil {
			return err
		}
	}
	for name := range hashed {
		if err := keepHashes(dir, name); err != nil {
			return err
		}
	}
	return nil
}

// keepHashes makes the file of hashes where it is missing, or does not accept the present tokens.
func keepHashes(dir, name string) error {
	var want []string
	path := filepath.Join(dir, name+hashesSuffix)
	text, err := os.ReadFile(path)
	complete := err == nil
	for _, token := range hashed[name] {
		value, err := current(dir, token)
		if err != nil {
			return err
		}
		want = append(want, secret.Hash(value))
		complete = complete && slices.Contains(strings.Split(string(text), "\n"), secret.Hash(value))
	}
	if complete {
		return nil
	}
	return rewrite(path, strings.Join(want, "\n")+"\n")
}

// rotation is the replacement of all tokens. The former values are written down with the next ones, so that a
// rotation that was cut short anywhere goes on where it was.
type rotation struct {
	dir          string
	rewrite      func(path, text string) error
	Former, Next map[string]string // by name; as they are in pendingFile
}

// tokens are the names of all secrets that are replaced.
func tokens() []string {
	return []string{serviceToken, databaseToken, metricsToken, snapshotToken, tokenKey}
}

// open returns the rotation of a folder that is under way. fs.ErrNotExist: none is.
func open(dir string) (*rotation, error) {
	r := &rotation{dir: dir, rewrite: rewrite}
	path := filepath.Join(dir, pendingFile)
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if err == nil {
		err = json.Unmarshal(data, r)
	}
	for _, name := range tokens() {
		if err == nil && (r.Former[name] == "" || r.Next[name] == "") {
			err = fmt.Errorf("it has no %s", name)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("%s, of a rotation that was cut short, cannot be used: delete it, and rotate again: %w", path, err)
	}
	return r, nil
}

// begin returns the rotation of a folder: the one that is under way, or a new one.
func begin(dir string) (*rotation, error) {
	r, err := open(dir)
	if !errors.Is(err, fs.ErrNotExist) {
		return r, err
	}
	r = &rotation{dir: dir, rewrite: rewrite, Former: map[string]string{}, Next: map[string]string{}}
	for _, name := range tokens() {
		if r.Former[name], err = current(dir, name); err != nil {
			return nil, err
		}
		if r.Next[name], err = random(); err != nil {
			return nil, err
		}
	}
	data, err := json.Marshal(r)
	if err == nil {
		err = atomicfile.Write(filepath.Join(dir, pendingFile), data, 0o600)
	}
	return r, err
}

// accept lets every program accept the next values, too. Nobody presents them yet. It may be repeated.
func (r *rotation) accept() error {
	for name, tokens := range hashed {
		if err := r.write(name+hashesSuffix, tokens, secret.Hash, func(former, next string) []string { return []string{former, next} }); err != nil {
			return err
		}
	}
	for _, name := range lined {
		if err := r.write(name, []string{name}, plain, func(former, next string) []string { return []string{former, next} }); err != nil {
			return err
		}
	}
	return nil
}

// use lets holders present the next values, and then the former ones end soon. It may be repeated until it has
// succeeded.
func (r *rotation) use(now time.Time) error {
	for _, name := range []string{databaseToken, metricsToken, serviceToken} {
		if err := r.rewrite(filepath.Join(r.dir, name), r.Next[name]); err != nil {
			return err
		}
	}
	for _, name := range lined {
		end := now.Add(overlap)
		if name == tokenKey {
			end = now.Add(keyOverlap)
		}
		if err := r.write(name, []string{name}, plain, ending(end)); err != nil {
			return err
		}
	}
	for name, tokens := range hashed {
		if err := r.write(name+hashesSuffix, tokens, secret.Hash, ending(now.Add(overlap))); err != nil {
			return err
		}
	}
	return os.Remove(filepath.Join(r.dir, pendingFile))
}

// ending is the order of the lines in the end.
func ending(at time.Time) func(former, next string) []string {
	return func(former, next string) []string { return []string{next, secret.Until(former, at)} }
}

func plain(value string) string { return value }

// write rewrites a file that accepts the tokens: their former and next values in that order, and after them the
// lines that are not of this rotation, as former values that have not ended yet.
func (r *rotation) write(file string, tokens []string, form func(value string) string, order func(former, next string) []string) error {
	path := filepath.Join(r.dir, file)
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	others := strings.Split(valid(text), "\n")
	var lines []string
	for _, token := range tokens {
		former, next := form(r.Former[token]), form(r.Next[token])
		lines = append(lines, order(former, next)...)
		others = slices.DeleteFunc(others, func(line string) bool {
			return slices.Contains([]string{"", former, next}, secret.Value(line))
		})
	}
	lines = append(lines, others[:min(len(others), secret.MaxLines-len(lines))]...)
	return r.rewrite(path, strings.Join(lines, "\n")+"\n")
}

// valid returns the lines of a secret that have not ended.
func valid(text []byte) string {
	s := &secret.Secret{}
	if s.UnmarshalText(text) != nil {
		return "" // it is made anew
	}
	return s.Text()
}

// current returns the present value of a secret.
func current(dir, name string) (string, error) {
	data, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		return "", err
	}
	s := &secret.Secret{}
	if err := s.UnmarshalText(data); err != nil {
		return "", fmt.Errorf("%s: %w", name, err)
	}
	return s.Current(), nil
}

// rewrite writes a file that containers may have mounted.
func rewrite(path, text string) error {
	err := os.Chmod(path, 0o644) // its owner must be able to write it
	if errors.Is(err, fs.ErrNotExist) {
		return atomicfile.Write(path, []byte(text), 0o444)
	}
	if err != nil {
		return err
	}
	return errors.Join(secret.WriteFile(path, text), os.Chmod(path, 0o444))
}
