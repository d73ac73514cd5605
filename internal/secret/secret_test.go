package secret_test

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"rideshare/internal/secret"
)

func TestAccepts(t *testing.T) {
	for name, c := range map[string]struct {
		secret  *secret.Secret
		accepts []string
		refuses []string
		current string
	}{
		"none":         {nil, nil, []string{"", "a"}, ""},
		"zero":         {&secret.Secret{}, nil, []string{"", "a"}, ""},
		"one":          {secret.New("a"), []string{"a"}, []string{"", "b", "a ", "aa"}, "a"},
		"two":          {secret.New("a", "b"), []string{"a", "b"}, []string{"", "c", "a\nb"}, "a"},
		"a hash":       {secret.New(secret.Hash("a")), []string{"a"}, []string{"", "b", secret.Hash("a")}, ""},
		"hash and one": {secret.New(secret.Hash("a"), "b"), []string{"a", "b"}, []string{"c"}, "b"},
		"with blanks":  {secret.New("a b"), []string{"a b"}, []string{"a", "b"}, "a b"},
	} {
		t.Run(name, func(t *testing.T) {
			for _, v := range c.accepts {
				if !c.secret.Accepts(v) {
					t.Errorf("%q is refused", v)
				}
			}
			for _, v := range c.refuses {
				if c.secret.Accepts(v) {
					t.Errorf("%q is accepted", v)
				}
			}
			if got := c.secret.Current(); got != c.current {
				t.Errorf("current is %q, want %q", got, c.current)
			}
			if got := c.secret.IsSet(); got != (len(c.accepts) > 0) {
				t.Errorf("IsSet is %v", got)
			}
		})
	}
}

func TestUntil(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := secret.New("new", secret.Until("old", time.Now().Add(time.Minute)))
		time.Sleep(time.Minute - time.Second)
		if !s.Accepts("old") || !s.Verify(func(v string) bool { return v == "old" }) {
			t.Error("refused before its end")
		}
		time.Sleep(time.Second)
		if s.Accepts("old") || s.Verify(func(v string) bool { return v == "old" }) {
			t.Error("accepted after its end")
		}
		if !s.Accepts("new") || s.Current() != "new" {
			t.Error("the current value ended")
		}
	})
}

func TestBadTexts(t *testing.T) {
	for name, text := range map[string]string{
		"empty":             "",
		"an empty line":     "hidden\n\nhidden",
		"blanks at the end": "hidden ",
		"a tab":             "hid\tden",
		"nine lines":        "hidden\nb\nc\nd\ne\nf\ng\nh\ni",
		"a PEM file":        "-----BEGIN PRIVATE KEY-----\nhidden\n-----END PRIVATE KEY-----",
		"too long":          strings.Repeat("a", 5000),
		"a short hash":      "sha256:abcd",
		"a long hash":       secret.Hash("a") + "00",
		"no hash":           "sha256:" + strings.Repeat("z", 64),
		"no time":           "hidden until tomorrow",
	} {
		if err := secret.Check(text); err == nil {
			t.Errorf("%s: no error", name)
		} else if strings.Contains(err.Error(), "hid") {
			t.Errorf("%s: the error shows the text: %v", name, err)
		}
	}
	if err := secret.Check("a\r\nb\r\n"); err != nil {
		t.Errorf("lines of another system: %v", err)
	}
}

// A caller that presents a new value is accepted at once; a holder uses the new value within a second. What
// cannot be read changes nothing.
func TestFollow(t *testing.T) {
	path := filepath.Join(t.TempDir(), "token")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	synctest.Test(t, func(t *testing.T) {
		write("a\n")
		s := secret.New("a")
		s.Follow(path)
		write("b\na\n")
		if !s.Accepts("b") {
			t.Error("a value that is in the file is refused")
		}
		write("b\n")
		if !s.Accepts("a") {
			t.Error("the file was read although the value was known")
		}
		time.Sleep(time.Second)
		if s.Accepts("a") || s.Current() != "b" {
			t.Error("the file was not read again")
		}
		for _, broken := range []string{"", "\n", strings.Repeat("x", 5000)} {
			write(broken)
			time.Sleep(time.Second)
			if !s.Accepts("b") || s.Current() != "b" {
				t.Errorf("a broken file ended the value")
			}
		}
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		if !s.Accepts("b") {
			t.Error("a missing file ended the value")
		}
	})
}

// While the file is rewritten in place, no reader sees a mixture of two texts.
func TestFollowWhileRewritten(t *testing.T) {
	path := filepath.Join(t.TempDir(), "token")
	texts := []string{strings.Repeat("a", 3000), strings.Repeat("b", 2000)}
	if err := os.WriteFile(path, []byte(texts[0]), 0o600); err != nil {
		t.Fatal(err)
	}
	s := secret.New(texts[0])
	s.Follow(path)
	done := make(chan struct{})
	var writer sync.WaitGroup
	writer.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-done:
				return
			default:
			}
			if err := secret.WriteFile(path, texts[i%2]); err != nil {
				t.Error(err)
				return
			}
		}
	})
	seen := map[byte]bool{}
	for range 20_000 {
		s.Accepts("unknown") // reads the file
		seen[s.Current()[0]] = true
		if v := s.Current(); strings.Trim(v, "a") != "" && strings.Trim(v, "b") != "" {
			t.Fatal("a mixture was read")
		}
	}
	close(done)
	writer.Wait()
	if len(seen) != 2 {
		t.Error("no change was seen")
	}
}
