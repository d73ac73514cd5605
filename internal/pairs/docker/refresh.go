package docker

import (
	"context"
	"time"

	"github.com/containerd/errdefs"
	"golang.org/x/sync/errgroup"
)

// putTimeout bounds how long the engine may take for one worker: where it hangs over one, the others must get theirs.
const putTimeout = 10 * time.Second

// RefreshSecrets gives all workers that run what Config.WorkerSecrets returns now. A worker reads its files anew
// within a second. RefreshSecrets may be called again with the same secrets. Its error is one of those that there
// were; the other workers have the secrets nevertheless.
func (p *Pairs) RefreshSecrets(ctx context.Context) error {
	all, _, err := p.everything(ctx)
	if err != nil {
		return err
	}
	secrets := p.config.WorkerSecrets()
	var g errgroup.Group // without a common end
	for _, f := range all {
		w := f.last()
		if !running(w.Summary) {
			continue
		}
		g.Go(func() error {
			ctx, cancel := context.WithTimeout(ctx, putTimeout)
			defer cancel()
			err := p.put(ctx, w.ID, secretsFolder, 0, 0o444, secrets)
			if errdefs.IsNotFound(err) { // it has just been removed
				return nil
			}
			return err
		})
	}
	return g.Wait()
}
