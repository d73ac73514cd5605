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

// keepTokens makes the tokens that are missing, and the files that follow from the others.
func keepTokens(dir string) error {
	former, err := os.ReadFile(filepath.Join(dir, serviceToken))
	upgrade := err == nil
	for _, name := range []string{serviceToken, databaseToken, metricsToken, snapshotToken, tokenKey} {
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
	current := err == nil
	for _, token := range hashed[name] {
		value, err := first(dir, token)
		if err != nil {
			return err
		}
		want = append(want, secret.Hash(value))
		current = current && slices.Contains(strings.Split(string(text), "\n"), secret.Hash(value))
	}
	if current {
		return nil
	}
	return rewrite(path, strings.Join(want, "\n")+"\n")
}

// accept begins to replace all tokens: after it, every program accepts the new values, too, and nobody presents
// them yet. It may be repeated.
func accept(dir string) error {
	next, err := pending(dir)
	if err != nil {
		return err
	}
	for name, tokens := range hashed {
		var lines []string
		for _, token := range tokens {
			value, err := first(dir, token)
			if err != nil {
				return err
			}
			lines = append(lines, secret.Hash(value), secret.Hash(next[token]))
		}
		if err := rewrite(filepath.Join(dir, name+hashesSuffix), strings.Join(lines, "\n")+"\n"); err != nil {
			return err
		}
	}
	for _, name := range lined {
		value, former, err := lines(dir, name)
		if err == nil {
			err = rewrite(filepath.Join(dir, name), strings.Join(append([]string{value, next[name]}, former...), "\n")+"\n")
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// pending returns the new values, which it makes and writes down where there are none.
func pending(dir string) (map[string]string, error) {
	path := filepath.Join(dir, pendingFile)
	next := map[string]string{}
	data, err := os.ReadFile(path)
	switch {
	case err == nil:
		err = json.Unmarshal(data, &next)
	case errors.Is(err, fs.ErrNotExist):
		for _, name := range []string{serviceToken, databaseToken, metricsToken, snapshotToken, tokenKey} {
			next[name], _ = random()
		}
		if data, err = json.Marshal(next); err == nil {
			err = atomicfile.Write(path, data, 0o600)
		}
	}
	if err == nil && (next[serviceToken] == "" || next[databaseToken] == "" || next[metricsToken] == "" || next[snapshotToken] == "" || next[tokenKey] == "") {
		err = errors.New("a value is missing")
	}
	if err != nil {
		return nil, fmt.Errorf("%s, of a rotation that was cut short, cannot be used: delete it, and rotate again: %w", path, err)
	}
	return next, nil
}

// use ends what accept has begun: holders present the new values, and the former ones end soon. It may be repeated
// until it has succeeded.
func use(dir string, now time.Time) error {
	if _, err := os.Stat(filepath.Join(dir, pendingFile)); err != nil {
		return fmt.Errorf("no rotation has begun: %w", err)
	}
	next, err := pending(dir)
	if err != nil {
		return err
	}
	for _, name := range lined {
		end := now.Add(overlap)
		if name == tokenKey {
			end = now.Add(keyOverlap)
		}
		value, former, err := lines(dir, name)
		if err != nil {
			return err
		}
		if value == next[name] {
			continue // an earlier call was cut short after this
		}
		former = append([]string{next[name], secret.Until(value, end)}, former...)
		if err := rewrite(filepath.Join(dir, name), strings.Join(former, "\n")+"\n"); err != nil {
			return err
		}
	}
	for name, tokens := range hashed {
		var lines []string
		for _, token := range tokens {
			former, err := first(dir, token)
			if err != nil {
				return err
			}
			lines = append(lines, secret.Hash(next[token]))
			if former != next[token] {
				lines = append(lines, secret.Until(secret.Hash(former), now.Add(overlap)))
			}
		}
		if err := rewrite(filepath.Join(dir, name+hashesSuffix), strings.Join(lines, "\n")+"\n"); err != nil {
			return err
		}
	}
	for _, name := range []string{databaseToken, metricsToken, serviceToken} {
		if err := rewrite(filepath.Join(dir, name), next[name]); err != nil {
			return err
		}
	}
	return os.Remove(filepath.Join(dir, pendingFile))
}

// first returns the present value of a secret.
func first(dir, name string) (string, error) {
	value, _, err := lines(dir, name)
	return value, err
}

// keptFormer is how many former values stay valid to their end when a rotation follows another one soon.
const keptFormer = 2

// lines returns the present value of a secret, and the lines of the former values that have not ended yet.
func lines(dir, name string) (value string, former []string, err error) {
	data, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		return "", nil, err
	}
	s := &secret.Secret{}
	if err := s.UnmarshalText(data); err != nil {
		return "", nil, fmt.Errorf("%s: %w", name, err)
	}
	for line := range strings.SplitSeq(s.Text(), "\n") {
		if secret.Ends(line) && len(former) < keptFormer {
			former = append(former, line)
		}
	}
	return s.Current(), former, nil
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
