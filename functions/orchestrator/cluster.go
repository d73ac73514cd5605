package orchestrator

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"rideshare/internal/cluster"
	"rideshare/internal/httpapi"
)

func (f *function) registerCluster(api *httpapi.API) {
	httpapi.Register(api, huma.Operation{
		OperationID: "get-cluster", Method: http.MethodGet, Path: "/api/v1/cluster", Tags: []string{clusterTag},
		Summary:  "Get the whole topology",
		Security: httpapi.Require(httpapi.Service),
	}, httpapi.Answers{
		200: "The master, the workers, how many slaves there should be, and the last recoveries",
		503: httpapi.MeansUnavailable,
	}, func(ctx context.Context, _ *struct{}) (*topologyOutput, error) {
		out, err := f.topology(ctx, cluster.Command{Topology: true})
		if err != nil {
			return nil, err
		}
		if queues, err := f.queues(ctx); err == nil { // the rest is worth having without them
			out.Body.Queues = queues
		}
		return out, nil
	})
}
