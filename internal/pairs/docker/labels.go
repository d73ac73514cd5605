package docker

import (
	"fmt"
	"maps"
	"strconv"
	"strings"

	"rideshare/internal/pairs"
)

// Our labels.
const (
	labelProject = "rideshare.project"
	labelPair    = "rideshare.pair"
	labelPart    = "rideshare.part"
	labelRun     = "rideshare.run" // of a worker: which one of its pair, from 1
)

// Parts that are no processes.
const (
	dataPart    pairs.Part = "data"    // the database's volume
	secretsPart pairs.Part = "secrets" // a worker's volume
	keptPart    pairs.Part = "kept"    // an empty volume: the data of its pair was set aside, and no pair is made of it
	networkPart pairs.Part = "network" // the network of a pair
	removedPart pairs.Part = "removed" // an empty volume: holds the number of a pair that was removed
)

// labels returns the labels of a part. Compose 1.29 fails on a container without the number and the
// version, and compose 2 does not see one without the hash.
func (c *Config) labels(pair string, part pairs.Part, run int) map[string]string {
	l := map[string]string{
		labelProject:                 c.Project,
		labelPair:                    pair,
		labelPart:                    string(part),
		"com.docker.compose.project": c.Project,
	}
	switch part {
	case pairs.WorkerPart, pairs.DatabasePart:
		l["com.docker.compose.service"] = "pair-" + string(part)
		l["com.docker.compose.container-number"] = strings.TrimPrefix(pair, "p")
		l["com.docker.compose.oneoff"] = "False"
		l["com.docker.compose.version"] = "1.29.2"
		l["com.docker.compose.config-hash"] = "made-by-the-watcher"
	case networkPart:
		l["com.docker.compose.network"] = pair
	default:
		l["com.docker.compose.volume"] = pair + "-" + string(part)
	}
	if run > 0 {
		l[labelRun] = strconv.Itoa(run)
	}
	maps.Copy(l, c.Labels)
	return l
}

func pairID(n int) string { return fmt.Sprintf("p%d", n) }

// number returns the number of a pair, 0 where that is no pair's id.
func number(id string) int {
	n, err := strconv.Atoi(strings.TrimPrefix(id, "p"))
	if err != nil || n < 1 || pairID(n) != id {
		return 0
	}
	return n
}

func workerID(pair string, run int) string { return fmt.Sprintf("%s.%d", pair, run) }

func (c *Config) databaseName(pair string) string { return c.Project + "-" + pair + "-database" }

func (c *Config) volumeName(pair string) string { return c.Project + "-" + pair + "-data" }

func (c *Config) networkName(pair string) string { return c.Project + "-" + pair }

func (c *Config) keptName(pair string) string { return c.Project + "-" + pair + "-kept" }

func (c *Config) tombstoneName(pair string) string { return c.Project + "-" + pair + "-removed" }

func (c *Config) workerName(pair string, run int) string {
	return fmt.Sprintf("%s-%s-worker-%d", c.Project, pair, run)
}
