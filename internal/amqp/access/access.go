// Package access says which users RabbitMQ has, and what each of them may do: no more than its
// program needs. docs/decisions/0012-named-exchanges.md has the reasons.
package access

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"maps"
	"slices"
)

// permission is what a user may do, as patterns of names. Queues and exchanges share them: one
// pattern allows a name for both kinds. To bind takes write on the queue and read on the exchange.
type permission struct{ configure, write, read string }

// users have no permission for the default exchange, which would lead them to every queue. The
// names are those of the buses and the log as they are shipped.
var users = map[string]permission{
	// Calls: publishes requests and binds all queues, but may not read them, nor reply.
	"orchestrator": {
		configure: `^rideshare\.((writes|reads|control)(\.requests|\.replies)?|writes\.again|writes\.dead(\.letters)?|responses\.[^.]+)$`,
		write:     `^rideshare\.((writes|reads|control)(\.requests)?|writes\.(first|dead)|responses\.[^.]+)$`,
		read:      `^rideshare\.((writes|reads|control)\.(requests|replies)|writes\.(again|dead\.letters)|responses\.[^.]+)$`,
	},
	// Serves writes and reads, and has the log. It makes the queues of the writes, which takes read on
	// the queue and write on the exchange for its dead letters.
	"worker": {
		configure: `^rideshare\.((writes|reads)(\.replies)?|writes\.first|sync(\.entries)?)$`,
		write:     `^rideshare\.((writes|reads)\.replies|writes\.(again|dead\.letters)|sync(\.entries)?)$`,
		read:      `^rideshare\.(writes|writes\.first|reads|sync(\.entries)?)$`,
	},
	// Serves commands.
	"watcher": {
		configure: `^rideshare\.control(\.replies)?$`,
		write:     `^rideshare\.control\.replies$`,
		read:      `^rideshare\.control$`,
	},
}

// Metrics is the user that may read the broker's metrics over HTTP, and nothing else: it has no permission
// on any queue or exchange, so that it cannot connect by AMQP.
const Metrics = "metrics"

// Programs returns the names of the users that connect by AMQP.
func Programs() []string { return slices.Sorted(maps.Keys(users)) }

// Users returns the names of all users.
func Users() []string { return slices.Sorted(slices.Values(append(Programs(), Metrics))) }

type user struct {
	Name      string   `json:"name"`
	Hash      string   `json:"password_hash"`
	Algorithm string   `json:"hashing_algorithm"`
	Tags      []string `json:"tags"`
}

type vhost struct {
	Name string `json:"name"`
}

type grant struct {
	User      string `json:"user"`
	VHost     string `json:"vhost"`
	Configure string `json:"configure"`
	Write     string `json:"write"`
	Read      string `json:"read"`
}

type definitions struct {
	Users       []user  `json:"users"`
	VHosts      []vhost `json:"vhosts"`
	Permissions []grant `json:"permissions"`
}

// Definitions returns what RabbitMQ loads at its start: the users with the hashes of their
// passwords, which are given by user, and their permissions. There is no user guest. A hash that is
// in the previous definitions is kept where it fits, so that they change only when something has;
// previous may be empty, or of any version.
func Definitions(passwords map[string]string, previous []byte) ([]byte, error) {
	const vhostName = "/"
	known := map[string]string{}
	var before definitions
	if json.Unmarshal(previous, &before) == nil {
		for _, u := range before.Users {
			known[u.Name] = u.Hash
		}
	}
	d := definitions{VHosts: []vhost{{vhostName}}}
	for _, name := range Users() {
		hash := known[name]
		if !fits(hash, passwords[name]) {
			hash = newHash(passwords[name])
		}
		tags := []string{}
		if name == Metrics {
			tags = []string{"monitoring"}
		}
		d.Users = append(d.Users, user{name, hash, "rabbit_password_hashing_sha256", tags})
		p, ok := users[name]
		if !ok {
			continue
		}
		d.Permissions = append(d.Permissions, grant{name, vhostName, p.configure, p.write, p.read})
	}
	return json.MarshalIndent(d, "", "  ")
}

// saltSize is RabbitMQ's, in bytes.
const saltSize = 4

func newHash(password string) string {
	salt := make([]byte, saltSize)
	_, _ = rand.Read(salt) // never fails
	return hash(salt, password)
}

// hash hashes as RabbitMQ does: the salt, and SHA-256 of it and the password.
func hash(salt []byte, password string) string {
	sum := sha256.Sum256(slices.Concat(salt, []byte(password)))
	return base64.StdEncoding.EncodeToString(slices.Concat(salt, sum[:]))
}

func fits(known, password string) bool {
	raw, err := base64.StdEncoding.DecodeString(known)
	return err == nil && len(raw) > saltSize && known == hash(raw[:saltSize], password)
}
