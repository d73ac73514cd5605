package docker

import (
	"context"
	"errors"
)

// RefreshSecrets gives all workers that run what Config.WorkerSecrets returns now. A worker reads its files anew
// within a second. RefreshSecrets may be called again with the same secrets. Its error names what could not be
// done; the other workers have the secrets nevertheless.
func (p *Pairs) RefreshSecrets(ctx context.Context) error {
	all, _, err := p.everything(ctx)
	if err != nil {
		return err
	}
	secrets := p.config.WorkerSecrets()
	var faults []error
	for _, f := range all {
		if w := f.last(); running(w.Summary) {
			faults = append(faults, p.put(ctx, w.ID, secretsFolder, 0, 0o444, secrets))
		}
	}
	return errors.Join(faults...)
}
