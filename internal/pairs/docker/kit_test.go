package docker

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/image"
	"github.com/docker/docker/api/types/network"
	"github.com/docker/docker/client"

	"rideshare/internal/dockertest"
	"rideshare/internal/pairs"
)

// idleImage has one program, which idles.
const idleImage = "rideshare-test-idle:latest"

// engine is a Docker engine under test.
type engine struct {
	*client.Client
	host string
}

// requireEngine skips the test where no engine answers, or fails it with CI=true.
func requireEngine(t *testing.T) engine {
	t.Helper()
	dockertest.Require(t)
	host := os.Getenv(client.EnvOverrideHost)
	if host == "" {
		host = client.DefaultDockerHost
	}
	api, err := client.NewClientWithOpts(client.WithHost(host), client.WithAPIVersionNegotiation())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = api.Close() })
	return engine{api, host}
}

// buildIdle makes the image, where it is not there already.
func buildIdle(t *testing.T) {
	t.Helper()
	e := requireEngine(t)
	program := filepath.Join(t.TempDir(), "idle")
	build := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", program, "./testdata/idle")
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOFLAGS=")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	data, err := os.ReadFile(program)
	if err != nil {
		t.Fatal(err)
	}
	// Importing the same again would leave the image before without a name.
	hash := fmt.Sprintf("%x", sha256.Sum256(data))
	if have, err := e.ImageInspect(t.Context(), idleImage); err == nil && have.Config.Labels["rideshare.hash"] == hash {
		return
	}
	var root bytes.Buffer
	archive := tar.NewWriter(&root)
	if err := archive.WriteHeader(&tar.Header{Name: "idle", Mode: 0o755, Size: int64(len(data))}); err != nil {
		t.Fatal(err)
	}
	_, err = archive.Write(data)
	if err := errors.Join(err, archive.Close()); err != nil {
		t.Fatal(err)
	}
	out, err := e.ImageImport(t.Context(), image.ImportSource{Source: &root, SourceName: "-"}, idleImage,
		image.ImportOptions{Changes: []string{`ENTRYPOINT ["/idle"]`, "USER 65532:65532", "LABEL rideshare.test=true rideshare.hash=" + hash}})
	if err != nil {
		t.Fatal(err)
	}
	_, err = io.Copy(io.Discard, out)
	if err := errors.Join(err, out.Close()); err != nil {
		t.Fatal(err)
	}
}

// world is a project of its own, of which nothing is left after the test.
type world struct {
	engine
	t      *testing.T
	config Config
}

func newWorld(t *testing.T) *world {
	t.Helper()
	e := requireEngine(t)
	project := "rstest-" + strings.ToLower(rand.Text()[:8])
	w := &world{engine: e, t: t, config: Config{
		Host: e.host, Project: project, Networks: []string{project},
		WorkerImage: idleImage, DatabaseImage: idleImage,
		WorkerEnv:     map[string]string{"RIDESHARE_ADDR": ":7000"},
		WorkerSecrets: func() map[string]string { return map[string]string{"AMQP_URL": "amqp://secret"} },
		Labels:        map[string]string{"rideshare.test": "true"},
	}}
	made, err := e.NetworkCreate(t.Context(), project, network.CreateOptions{
		Labels: map[string]string{"rideshare.test": "true", "com.docker.compose.project": project, "com.docker.compose.network": "default"},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		w.clean(ctx)
		if err := e.NetworkRemove(ctx, made.ID); err != nil {
			t.Error(err)
		}
	})
	return w
}

// clean removes what the test has left.
func (w *world) clean(ctx context.Context) {
	w.config.Host = w.host
	p := w.open()
	all, _, err := p.everything(ctx)
	if err != nil {
		w.t.Error(err)
	}
	for _, f := range all {
		if err := p.erase(ctx, f.id); err != nil {
			w.t.Error(err)
		}
	}
	networks, err := p.networks(ctx, "")
	if err != nil || len(networks) > 0 {
		w.t.Errorf("%d networks are left, %v", len(networks), err)
	}
	volumes, err := p.volumes(ctx, "")
	if err != nil {
		w.t.Error(err)
	}
	for _, v := range volumes {
		if err := w.VolumeRemove(ctx, v.Name, true); err != nil {
			w.t.Error(err)
		}
	}
}

// open returns what a watcher that has just started sees.
func (w *world) open() *Pairs {
	w.t.Helper()
	p, err := New(w.config)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { _ = p.Close() })
	return p
}

func (w *world) create(p *Pairs) pairs.Pair {
	w.t.Helper()
	pair, err := p.Create(w.t.Context())
	w.ok(err)
	return pair
}

func (w *world) ok(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) inspect(name string) container.InspectResponse {
	w.t.Helper()
	c, err := w.ContainerInspect(w.t.Context(), name)
	w.ok(err)
	return c
}
