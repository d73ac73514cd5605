package zookeeper

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"unicode/utf8"

	"rideshare/internal/cluster"
	"rideshare/internal/registry"
)

// What is in the nodes. Whoever has the password can write anything into them, so everything is
// checked when it is read, and what is wrong is as good as absent.

type epochNode struct {
	Epoch uint64 `json:"epoch"`
}

type masterNode struct {
	registry.Master
	Nonce string `json:"nonce"` // of the call that made the node
}

type configNode struct {
	registry.Config
	Nonce string `json:"nonce,omitempty"`
}

type leaderNode struct {
	Watcher string `json:"watcher"`
}

const (
	maxNode  = 64 << 10 // bytes; far more than any of them needs
	maxName  = 256      // bytes of an id
	maxEpoch = math.MaxInt64
)

// encode returns the text of a node. What it is given always has one.
func encode(node any) []byte {
	data, err := json.Marshal(node)
	if err != nil {
		panic(err)
	}
	return data
}

// decode reads exactly one JSON object, without members that are not known.
func decode(data []byte, into any) error { return decodeUpTo(maxNode, data, into) }

func decodeUpTo(most int, data []byte, into any) error {
	switch {
	case len(data) > most:
		return fmt.Errorf("%d bytes are too many", len(data))
	case !utf8.Valid(data):
		return errors.New("not valid UTF-8")
	case len(data) == 0 || data[0] != '{':
		return errors.New("not a JSON object")
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return err
	}
	if _, more := d.Token(); !errors.Is(more, io.EOF) {
		return errors.New("something follows the JSON object")
	}
	return nil
}

func decodeEpoch(data []byte) (uint64, error) {
	var n epochNode
	if err := decode(data, &n); err != nil {
		return 0, err
	}
	if n.Epoch > maxEpoch {
		return 0, fmt.Errorf("epoch %d is too large", n.Epoch)
	}
	return n.Epoch, nil
}

func decodeMaster(data []byte) (masterNode, error) {
	var n masterNode
	if err := decode(data, &n); err != nil {
		return masterNode{}, err
	}
	if n.Worker == "" || len(n.Worker) > maxName || n.Epoch == 0 || n.Epoch > maxEpoch {
		return masterNode{}, errors.New("not a master's name and epoch")
	}
	return n, nil
}

func decodeConfig(data []byte) (configNode, error) {
	var n configNode
	if err := decode(data, &n); err != nil {
		return configNode{}, err
	}
	if n.Slaves < 0 {
		return configNode{}, fmt.Errorf("%d slaves", n.Slaves)
	}
	return n, nil
}

func decodeLeader(data []byte) (string, error) {
	var n leaderNode
	if err := decode(data, &n); err != nil {
		return "", err
	}
	if n.Watcher == "" || len(n.Watcher) > maxName {
		return "", errors.New("not a watcher's name")
	}
	return n.Watcher, nil
}

// decodeMember reads the description of the worker of that id.
func decodeMember(id string, data []byte) (registry.Member, error) {
	var m registry.Member
	if err := decode(data, &m); err != nil {
		return registry.Member{}, err
	}
	switch m.State {
	case "", cluster.Joining, cluster.Following, cluster.Serving, cluster.Unseeded, cluster.Deleted:
	default:
		return registry.Member{}, fmt.Errorf("unknown state %.20q", m.State)
	}
	switch m.Role {
	case "", cluster.Master, cluster.Slave:
	default:
		return registry.Member{}, fmt.Errorf("unknown role %.20q", m.Role)
	}
	if m.ID != id {
		return registry.Member{}, fmt.Errorf("it is %.40q's", m.ID)
	}
	return m, nil
}
