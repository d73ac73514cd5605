package oneprocess

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestSecretsStayPrivate: what others could read they cannot read any more, and the log says so.
func TestSecretsStayPrivate(t *testing.T) {
	c := defaults(t)
	c.Data, c.Unsafe = t.TempDir(), true
	secrets := filepath.Join(c.Data, SecretsFile)
	database := filepath.Join(c.Data, "pairs", "p1", "kept")
	start := func() (token, logged string) {
		t.Helper()
		var log bytes.Buffer
		s, err := New(c, "0.0.0-test", slog.New(slog.NewTextHandler(&log, nil)))
		if err != nil {
			t.Fatal(err)
		}
		for _, end := range append(s.data.watching, s.data.pairs, s.bus, s.folder.lock) {
			if err := end.Close(); err != nil {
				t.Error(err)
			}
		}
		for _, path := range []string{secrets, database} {
			if info, err := os.Stat(path); err == nil && info.Mode() != 0o600 {
				t.Errorf("%s is %v", path, info.Mode())
			}
		}
		return s.ServiceToken(), log.String()
	}
	token, logged := start()
	if logged != "" || token == "" {
		t.Errorf("token %q; logged: %s", token, logged)
	}
	if err := os.MkdirAll(filepath.Dir(database), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(database, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(secrets, 0o644); err != nil {
		t.Fatal(err)
	}
	again, logged := start()
	if again != token || !strings.Contains(logged, secrets) || !strings.Contains(logged, database) || !strings.Contains(logged, "level=WARN") || strings.Contains(logged, token) {
		t.Errorf("token %q, then %q; logged: %s", token, again, logged)
	}
	if _, logged := start(); logged != "" {
		t.Errorf("once it is put right, logged: %s", logged)
	}
}

// TestSecretsTakeNothingOver from what an interrupted start has left.
func TestSecretsTakeNothingOver(t *testing.T) {
	dir, victim := t.TempDir(), filepath.Join(t.TempDir(), "victim")
	if err := os.WriteFile(victim, []byte("kept"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(victim, filepath.Join(dir, SecretsFile+".new")); err != nil {
		t.Fatal(err)
	}
	if _, err := loadSecrets(dir); err != nil {
		t.Fatal(err)
	}
	info, err := os.Lstat(filepath.Join(dir, SecretsFile))
	if err != nil || info.Mode() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
	if data, err := os.ReadFile(victim); err != nil || string(data) != "kept" {
		t.Errorf("%q, %v", data, err)
	}
}
