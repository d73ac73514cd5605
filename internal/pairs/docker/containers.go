package docker

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/mount"
	"github.com/docker/docker/api/types/network"

	"rideshare/internal/pairs"
)

const (
	dataFolder    = "/var/lib/mysql"
	passwordFile  = ".rideshare-password" // in dataFolder; MySQL passes over files with a dot
	rootFile      = ".rideshare-root-password"
	runsFile      = ".rideshare-runs" // how many workers the pair has had
	secretsFolder = "/run/rideshare"  // of a worker
	dsnSecret     = "MYSQL_DSN"
	schemaAndUser = "rideshare"
	databasePort  = 3306
	databaseUser  = 999 // mysql in MySQL's image; no process of the container is root
)

// DefaultDatabaseArgs are the arguments of the database server: safe, and small.
func DefaultDatabaseArgs() []string {
	return []string{
		"mysqld",
		"--skip-log-bin", // the sync log is the log
		"--innodb-flush-log-at-trx-commit=1",
		"--innodb-buffer-pool-size=128M",
		"--performance-schema=OFF", // 200 MiB of memory
		"--mysqlx=OFF",
		"--skip-name-resolve",
		"--local-infile=OFF",
		"--innodb-log-writer-threads=OFF", // threads that wake each other for every commit: for many at a time
	}
}

// workersAlias is a name on the network that all workers have: whoever asks for its addresses, as
// Prometheus does, gets those of the workers that run.
const workersAlias = "workers"

// spec is a container to be created.
type spec struct {
	name     string
	networks []string // the first one may have to lead outside
	alias    string   // a further name on all networks; may be empty
	container.Config
	container.HostConfig
}

func (c *Config) database(pair string) spec {
	s := c.spec(c.databaseName(pair), pair, pairs.DatabasePart, 0, c.DatabaseLimits)
	s.Image, s.Cmd, s.networks = c.DatabaseImage, c.DatabaseArgs, []string{c.networkName(pair)}
	s.User = fmt.Sprintf("%d:%d", databaseUser, databaseUser)
	s.Env = []string{
		"MYSQL_DATABASE=" + schemaAndUser,
		"MYSQL_USER=" + schemaAndUser,
		"MYSQL_PASSWORD_FILE=" + dataFolder + "/" + passwordFile,
		"MYSQL_ROOT_PASSWORD_FILE=" + dataFolder + "/" + rootFile,
		"MYSQL_ROOT_HOST=localhost",
	}
	s.Healthcheck = &container.HealthConfig{
		Test:     []string{"CMD", "mysqladmin", "--protocol=tcp", "--host=127.0.0.1", "--connect-timeout=3", "ping"},
		Interval: 30 * time.Second, Timeout: 5 * time.Second, StartPeriod: time.Minute, Retries: 3,
	}
	s.ReadonlyRootfs = true
	s.Tmpfs = map[string]string{
		"/run/mysqld": "rw,noexec,nosuid,size=1m,mode=1777",
		"/tmp":        "rw,noexec,nosuid,size=256m,mode=1777", // sorting and changes of the schema
	}
	s.Mounts = []mount.Mount{{Type: mount.TypeVolume, Source: c.volumeName(pair), Target: dataFolder}}
	return s
}

func (c *Config) worker(pair string, run int) spec {
	s := c.spec(c.workerName(pair, run), pair, pairs.WorkerPart, run, c.WorkerLimits)
	s.Image, s.Cmd, s.alias = c.WorkerImage, c.WorkerArgs, workersAlias
	s.networks = append(slices.Clone(c.Networks), c.networkName(pair))
	env := maps.Clone(c.WorkerEnv)
	if env == nil {
		env = map[string]string{}
	}
	env["RIDESHARE_WORKER_ID"], env["RIDESHARE_PAIR"] = workerID(pair, run), pair
	// The collector works harder before the kernel ends the process.
	env["GOMEMLIMIT"] = strconv.FormatInt(c.WorkerLimits.Memory*4/5, 10)
	env[dsnSecret+"_FILE"] = secretsFolder + "/" + dsnSecret
	for name := range c.WorkerSecrets() {
		env[name+"_FILE"] = secretsFolder + "/" + name
	}
	for _, name := range slices.Sorted(maps.Keys(env)) {
		s.Env = append(s.Env, name+"="+env[name])
	}
	s.ReadonlyRootfs = true
	s.Tmpfs = map[string]string{"/tmp": "rw,noexec,nosuid,size=64m,mode=1777"}
	// The engine refuses to put a file into a read-only container, but not into a volume of it. The
	// volume has no name, so it goes with the container.
	s.Mounts = []mount.Mount{{
		Type: mount.TypeVolume, Target: secretsFolder,
		VolumeOptions: &mount.VolumeOptions{Labels: c.labels(pair, secretsPart, run)},
	}}
	return s
}

// spec returns what both halves of a pair have in common.
func (c *Config) spec(name, pair string, part pairs.Part, run int, l Limits) spec {
	return spec{
		name: name,
		Config: container.Config{
			Hostname: name,
			Labels:   c.labels(pair, part, run),
		},
		HostConfig: container.HostConfig{
			RestartPolicy: container.RestartPolicy{Name: container.RestartPolicyDisabled}, // that is the watcher's business
			CapDrop:       []string{"ALL"},
			SecurityOpt:   []string{"no-new-privileges"},
			Resources: container.Resources{
				Memory: l.Memory, MemorySwap: l.Memory, // that is: no swap
				NanoCPUs:  int64(l.CPUs * 1e9),
				PidsLimit: &l.Processes,
			},
			LogConfig: container.LogConfig{
				Type: "json-file", Config: map[string]string{"max-size": "10m", "max-file": "3"},
			},
		},
	}
}

// create creates a container and returns its id. errTaken: there is one of that name.
func (p *Pairs) create(ctx context.Context, s spec) (string, error) {
	endpoint := func() *network.EndpointSettings {
		if s.alias == "" {
			return &network.EndpointSettings{}
		}
		return &network.EndpointSettings{Aliases: []string{s.alias}}
	}
	first := s.networks[0]
	s.NetworkMode = container.NetworkMode(first)
	joined := &network.NetworkingConfig{EndpointsConfig: map[string]*network.EndpointSettings{first: endpoint()}}
	made, err := p.api.ContainerCreate(ctx, &s.Config, &s.HostConfig, joined, nil, s.name)
	if err != nil {
		return "", p.explain("create "+s.name, s.Image, err)
	}
	for _, name := range s.networks[1:] { // engines before 25 join one network at a container's creation
		if err := p.api.NetworkConnect(ctx, name, made.ID, endpoint()); err != nil {
			return "", p.explain("connect "+s.name+" to "+name, "", err)
		}
	}
	return made.ID, nil
}

func (p *Pairs) start(ctx context.Context, id, name string) error {
	return p.explain("start "+name, "", p.api.ContainerStart(ctx, id, container.StartOptions{}))
}
