package oneprocess

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"rideshare/internal/atomicfile"
)

// SecretsFile is the file in the data folder that keeps what was generated.
const SecretsFile = "secrets.json"

// secrets are generated once, and kept with the data.
type secrets struct {
	ServiceToken string `json:"service_token"` // of operators
	TokenKey     string `json:"token_key"`     // signs the tokens of users
}

// loadSecrets reads the secrets of a data folder, or generates them.
func loadSecrets(dir string) (secrets, error) {
	path := filepath.Join(dir, SecretsFile)
	data, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		s := secrets{ServiceToken: rand.Text(), TokenKey: rand.Text() + rand.Text()}
		return s, s.save(path)
	}
	if err != nil {
		return secrets{}, fmt.Errorf("the secrets: %w", err)
	}
	var s secrets
	if err := json.Unmarshal(data, &s); err != nil || s.ServiceToken == "" || s.TokenKey == "" {
		return secrets{}, fmt.Errorf("%s is damaged: restore it, or delete it to have new secrets (everybody has to sign in again)", path)
	}
	return s, nil
}

// save writes the file whole or not at all.
func (s secrets) save(path string) error {
	data, err := json.MarshalIndent(s, "", "  ")
	if err == nil {
		err = atomicfile.Write(path, append(data, '\n'), 0o600)
	}
	if err != nil {
		return fmt.Errorf("the secrets: %w", err)
	}
	return nil
}
