package docker

import (
	"errors"
	"fmt"
	"strings"

	"github.com/containerd/errdefs"
	"github.com/docker/docker/client"
)

var (
	// ErrEngine: no Docker engine answers.
	ErrEngine = errors.New("docker: the engine does not answer")
	// ErrNoImage: the engine does not have an image. It is not pulled.
	ErrNoImage = errors.New("docker: the engine does not have the image")
	// ErrNoNetwork: the project's network does not exist.
	ErrNoNetwork = errors.New("docker: there is no such network")
)

// explain says what to do about an error of the engine.
func (p *Pairs) explain(what, image string, err error) error {
	switch {
	case err == nil:
		return nil
	case client.IsErrConnectionFailed(err):
		return fmt.Errorf("%w at %s: %w", ErrEngine, p.config.Host, err)
	case errdefs.IsNotFound(err) && strings.Contains(err.Error(), "No such image"):
		return fmt.Errorf("%s: %w %s: build or pull it (make images)", what, ErrNoImage, image)
	case errdefs.IsNotFound(err) && strings.Contains(err.Error(), "network"):
		return fmt.Errorf("%s: %w: one of %s: the project has to be up (make up)", what, ErrNoNetwork, strings.Join(p.config.Networks, ", "))
	case errdefs.IsConflict(err) && strings.Contains(err.Error(), "is already in use by container"):
		return fmt.Errorf("%s: %w: %w", what, errTaken, err)
	default:
		return fmt.Errorf("docker: %s: %w", what, err)
	}
}
