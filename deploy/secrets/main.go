// Command secrets generates what the containers keep secret, once, into a folder: a second run
// changes no secret that is there. Every part gets a user and a password of its own.
package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"rideshare/internal/amqp/access"
	"rideshare/internal/atomicfile"
)

const usage = `usage:
  secrets FOLDER BROKERS   generate what is missing; BROKERS: host:port, several with commas between
  secrets --accept FOLDER  begin to replace the tokens: everybody accepts the new ones, too
  secrets --use FOLDER     end it: everybody presents the new ones, and the former ones end soon`

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, usage)
		os.Exit(2)
	}
	var err error
	switch os.Args[1] {
	case "--accept":
		var r *rotation
		if r, err = begin(os.Args[2]); err == nil {
			err = r.accept()
		}
	case "--use":
		var r *rotation
		if r, err = open(os.Args[2]); err == nil {
			err = r.use(time.Now())
		}
	default:
		err = generate(os.Args[1], os.Args[2])
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "secrets:", err)
		os.Exit(1)
	}
}

func generate(dir, brokers string) error {
	// The folder keeps others out. The files themselves are readable, as each is mounted alone into
	// a container whose user is not the one here.
	if err := private(dir); err != nil {
		return err
	}
	if err := keepTokens(dir); err != nil {
		return err
	}
	for _, name := range []string{"zookeeper_password", "rabbitmq_cookie", "grafana_password"} {
		if _, err := keep(dir, name, random); err != nil {
			return err
		}
	}
	_, err := keep(dir, "zookeeper_auth", func() (string, error) {
		password, err := os.ReadFile(filepath.Join(dir, "zookeeper_password"))
		return "rideshare:" + string(password), err
	})
	if err != nil {
		return err
	}
	passwords := map[string]string{}
	for _, user := range access.Users() {
		if passwords[user], err = keep(dir, "rabbitmq_"+user, random); err != nil {
			return err
		}
		if user == access.Metrics {
			continue
		}
		// No secret of its own: it follows the list of brokers.
		url := fmt.Sprintf("amqp://%s:%s@%s/", user, passwords[user], brokers)
		if err := write(dir, "amqp_url_"+user, url); err != nil {
			return err
		}
	}
	return define(dir, passwords)
}

// private makes a folder that only its owner can enter. One that others can enter becomes private if
// nothing but secrets can be in it.
func private(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	info, err := os.Stat(dir)
	if err != nil || info.Mode().Perm()&0o077 == 0 {
		return err
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	if len(entries) == 0 {
		return os.Chmod(dir, 0o700)
	}
	if _, err := os.Lstat(filepath.Join(dir, "service_token")); err != nil {
		return fmt.Errorf("others can enter %s, which holds something else: name another folder (RIDESHARE_SECRETS), or take their permissions away: chmod 700 %[1]s", dir)
	}
	fmt.Fprintf(os.Stderr, "secrets: others could enter %s, and no longer can. If they may have read the secrets, delete the folder and the volumes of ZooKeeper to have new ones\n", dir)
	return os.Chmod(dir, 0o700)
}

// define writes what RabbitMQ loads. No secret of its own either: the permissions follow the programs.
func define(dir string, passwords map[string]string) error {
	const name = "rabbitmq_definitions.json"
	previous, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	definitions, err := access.Definitions(passwords, previous)
	if err != nil {
		return err
	}
	return write(dir, name, string(definitions))
}

// keep returns the content of a file, which it makes where there is none.
func keep(dir, name string, content func() (string, error)) (string, error) {
	path := filepath.Join(dir, name)
	data, err := os.ReadFile(path)
	if err == nil || !errors.Is(err, os.ErrNotExist) {
		return string(data), err
	}
	text, err := content()
	if err == nil {
		err = write(dir, name, text)
	}
	return text, err
}

// write writes a file whole or not at all.
func write(dir, name, text string) error {
	return atomicfile.Write(filepath.Join(dir, name), []byte(text), 0o444)
}

func random() (string, error) { return rand.Text(), nil }
