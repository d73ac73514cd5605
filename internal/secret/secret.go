// Package secret holds the tokens and keys that parts of the system share. A secret can be replaced while
// everything runs: for a time two values are valid (docs/decisions/0027-scopes.md).
package secret

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
	"unicode"
)

// Limits of the text of a Secret.
const (
	MaxLines = 8
	maxText  = 4096 // bytes
)

// period is how long a value that was read from a file is used before the file is read again.
const period = time.Second

// patience is how long WriteFile waits for those who read the file.
const patience = 5 * time.Second

// pemPrefix begins the first line of a PEM file.
const pemPrefix = "-----"

const (
	hashPrefix = "sha256:"
	untilWord  = " until "
)

// Secret is a secret of one or more valid values, one per line of its text:
//
//	VALUE
//	VALUE until 2026-11-30T16:00:00Z
//	sha256:HEX
//
// The first value is current: holders present it, or sign with it. All others are accepted as well, those with
// a time until that time. Of a value that is given by its hash, the Secret can only tell whether a caller
// presents it.
//
// A Secret that follows a file notices within a second that the file was changed, and at once when a
// caller presents a value that it does not know. The methods may be called concurrently. A nil *Secret has no
// value, and accepts none.
type Secret struct {
	path string // empty: the values do not change

	mu    sync.Mutex
	lines []line
	read  time.Time // when the file was read last
}

type line struct {
	text  string
	value string // empty where only the hash is known
	hash  [sha256.Size]byte
	until time.Time // zero: no end
}

// New returns a secret with these lines. It panics where UnmarshalText would return an error.
func New(lines ...string) *Secret {
	s := &Secret{}
	if err := s.UnmarshalText([]byte(strings.Join(lines, "\n"))); err != nil {
		panic(err)
	}
	return s
}

// UnmarshalText implements encoding.TextUnmarshaler. Its errors do not show the values.
func (s *Secret) UnmarshalText(text []byte) error {
	lines, err := parse(text)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lines = lines
	return nil
}

// Follow makes the file the source of the secret. The file may be replaced, or rewritten by WriteFile, and need not
// be there all the time: the last text that could be read counts. Follow must be called before any other goroutine
// uses s.
func (s *Secret) Follow(path string) { s.path, s.read = path, time.Now() }

// Current returns the first valid value, or "" if there is none or only its hash is known.
func (s *Secret) Current() string {
	for _, l := range s.valid(false) {
		if l.value != "" {
			return l.value
		}
	}
	return ""
}

// Text returns the valid lines, for another Secret.
func (s *Secret) Text() string {
	var lines []string
	for _, l := range s.valid(false) {
		lines = append(lines, l.text)
	}
	return strings.Join(lines, "\n")
}

// IsSet reports whether the secret accepts any value.
func (s *Secret) IsSet() bool { return len(s.valid(false)) > 0 }

// Accepts reports whether a caller that presents the value has the secret. The time that it takes
// depends neither on where values differ nor on how long they are.
func (s *Secret) Accepts(presented string) bool {
	got := sha256.Sum256([]byte(presented))
	return s.try(func(lines []line) bool { return accepts(lines, got) })
}

func accepts(lines []line, got [sha256.Size]byte) bool {
	found := 0
	for _, l := range lines {
		found |= subtle.ConstantTimeCompare(got[:], l.hash[:])
	}
	return found == 1
}

// Knows is Accepts without reading the file again: a value that is new in the file may be refused for a second.
func (s *Secret) Knows(presented string) bool {
	return accepts(s.valid(false), sha256.Sum256([]byte(presented)))
}

// Verify reports whether accepts returns true for one of the values.
func (s *Secret) Verify(accepts func(value string) bool) bool {
	return s.try(func(lines []line) bool {
		return slices.ContainsFunc(lines, func(l line) bool { return l.value != "" && accepts(l.value) })
	})
}

// try calls f with the valid lines, and once more when it returns false and the file was changed meanwhile.
func (s *Secret) try(f func([]line) bool) bool {
	before := s.valid(false)
	if f(before) {
		return true
	}
	after := s.valid(true)
	return !slices.Equal(before, after) && f(after)
}

// valid returns the lines that have not ended. It reads the file again when it was read long ago, or when asked to.
func (s *Secret) valid(again bool) []line {
	if s == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	if s.path != "" && (again || now.Sub(s.read) >= period) {
		s.read = now
		if text, err := readFile(s.path); err == nil {
			if lines, err := parse(text); err == nil {
				s.lines = lines
			}
		}
	}
	lines := make([]line, 0, len(s.lines))
	for _, l := range s.lines {
		if l.until.IsZero() || now.Before(l.until) {
			lines = append(lines, l)
		}
	}
	return lines
}

// Check returns an error, which does not show the values, unless the text is that of a Secret.
func Check(text string) error {
	_, err := parse([]byte(text))
	return err
}

func parse(text []byte) ([]line, error) {
	if len(text) > maxText {
		return nil, fmt.Errorf("secret: more than %d bytes", maxText)
	}
	var lines []line
	for raw := range strings.SplitSeq(strings.TrimRight(string(text), "\r\n"), "\n") {
		l, err := parseLine(strings.TrimSuffix(raw, "\r"))
		if err != nil {
			return nil, err
		}
		lines = append(lines, l)
	}
	if len(lines) > MaxLines {
		return nil, fmt.Errorf("secret: more than %d lines", MaxLines)
	}
	return lines, nil
}

func parseLine(text string) (line, error) {
	l := line{text: text}
	value, until, ends := strings.Cut(text, untilWord)
	if ends {
		var err error
		if l.until, err = time.Parse(time.RFC3339, until); err != nil {
			return line{}, errors.New("secret: the time after \"until\" is not like 2026-11-30T16:00:00Z")
		}
	}
	if value == "" || strings.TrimSpace(value) != value || strings.ContainsFunc(value, unicode.IsControl) {
		return line{}, errors.New("secret: a line is empty, has blanks at its ends, or has control characters")
	}
	if strings.HasPrefix(value, pemPrefix) {
		return line{}, errors.New("secret: it is a PEM file, whose first line anybody can guess")
	}
	digits, hashed := strings.CutPrefix(value, hashPrefix)
	if !hashed {
		l.value, l.hash = value, sha256.Sum256([]byte(value))
		return l, nil
	}
	if n, err := hex.Decode(l.hash[:], []byte(digits[:min(len(digits), 2*sha256.Size)])); err != nil || n != sha256.Size || len(digits) != 2*sha256.Size {
		return line{}, fmt.Errorf("secret: a hash is not %d hex digits", 2*sha256.Size)
	}
	return l, nil
}

// Hash returns the line of a value that tells whoever reads it nothing but whether a caller has the value. The
// value must be random, as a short or a chosen one can be guessed from it.
func Hash(value string) string {
	sum := sha256.Sum256([]byte(value))
	return hashPrefix + hex.EncodeToString(sum[:])
}

// Until returns the line of a value that is valid until then.
func Until(line string, t time.Time) string { return line + untilWord + t.UTC().Format(time.RFC3339) }

// Value returns what a line is without its end.
func Value(line string) string {
	value, _, _ := strings.Cut(line, untilWord)
	return value
}

// Fingerprint returns what names a value in a record without telling the value.
func Fingerprint(value string) string { return strings.TrimPrefix(Hash(value), hashPrefix)[:8] }

// readFile reads a file unless WriteFile is writing it.
func readFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // it is only read
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_SH|syscall.LOCK_NB); err != nil {
		return nil, err
	}
	return io.ReadAll(io.LimitReader(f, maxText+1))
}

// WriteFile rewrites a file in place, as a file that is mounted into a container must be: it keeps its inode. A
// Secret that follows the file reads either the old or the new text.
func WriteFile(path, text string) (err error) {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }() // which unlocks it
	for begin := time.Now(); ; time.Sleep(time.Millisecond) {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			break
		}
		if time.Since(begin) > patience {
			return fmt.Errorf("secret: another process has locked %s: %w", path, err)
		}
	}
	if _, err := f.WriteAt([]byte(text), 0); err != nil {
		return err
	}
	if err := f.Truncate(int64(len(text))); err != nil {
		return err
	}
	return f.Sync()
}
