package access_test

import (
	"bytes"
	"testing"

	"rideshare/internal/amqp/access"
)

func TestDefinitionsKeepTheirHashes(t *testing.T) {
	passwords := map[string]string{}
	for _, user := range access.Users() {
		passwords[user] = "password of " + user
	}
	first := define(t, passwords, nil)
	if again := define(t, passwords, first); !bytes.Equal(first, again) {
		t.Errorf("nothing has changed, but\n%s\nbecame\n%s", first, again)
	}
	if fresh := define(t, passwords, []byte("no JSON")); bytes.Equal(first, fresh) {
		t.Error("two definitions have the same salts")
	}
	passwords[access.Users()[0]] = "another"
	if changed := define(t, passwords, first); bytes.Equal(first, changed) {
		t.Error("a password has changed, its hash has not")
	}
}

func define(t *testing.T, passwords map[string]string, previous []byte) []byte {
	t.Helper()
	data, err := access.Definitions(passwords, previous)
	if err != nil {
		t.Fatal(err)
	}
	return data
}
