package chaos

import (
	"context"
	"errors"
	"fmt"

	"rideshare/e2e/compose"
	"rideshare/e2e/netcut"
)

// cut cuts the target's containers off. Where nothing holds on to a cut it ends by itself.
func (i *injector) cut(ctx context.Context, t target) error {
	wait, err := compose.Begin(ctx, t.cuts)
	if errors.Is(err, netcut.ErrNotBegun) {
		return fmt.Errorf("%w: %w", errNotInjected, err)
	}
	if err != nil {
		return err
	}
	return wait()
}

// cutOffs returns what a fault of the kind Cut cuts off.
func (i *injector) cutOffs(t target) ([]compose.CutOff, error) {
	one := compose.CutOff{Container: t.container, Way: t.Way}
	var err error
	switch t.Peer {
	case EachOther:
		var all []compose.CutOff
		for _, service := range compose.Brokers()[:2] { // the third is cut off from both, then
			c, err := i.CutServices(service, t.Way, compose.Brokers()...)
			if err != nil {
				return nil, err
			}
			all = append(all, c)
		}
		return all, nil
	case Everything:
		one.Peers, err = i.Site.Everything()
	case MasterDatabase, SlaveDatabase:
		one.Peers = []string{t.pair.DatabaseContainer}
	case TwoBrokers:
		one.Peers, err = i.containers(compose.Brokers()[:2])
	case Brokers:
		one.Peers, err = i.containers(compose.Brokers())
	case Keepers:
		one.Peers, err = i.containers(compose.Keepers())
	default:
		one.Peers, err = i.containers([]string{string(t.Peer)})
	}
	return []compose.CutOff{one}, err
}

// containers returns the containers of services.
func (i *injector) containers(services []string) ([]string, error) {
	var ids []string
	for _, service := range services {
		id, err := i.Stack.Service(service)
		if err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	return ids, nil
}
