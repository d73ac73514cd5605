package orchestrator

import (
	"context"
	"net/http"
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"rideshare/internal/cluster"
	"rideshare/internal/httpapi"
)

type workersOutput struct {
	Body []int `nullable:"false" doc:"Process ids of the workers' containers, ascending" example:"[1000,2112,4330]"`
}

func (f *function) registerWorkers(api *httpapi.API) {
	httpapi.Register(api, huma.Operation{
		OperationID: "list-workers", Method: http.MethodGet, Path: "/api/v1/worker/list", Tags: []string{clusterTag},
		Summary:  "List the process ids of the workers",
		Security: httpapi.Require(httpapi.Service),
	}, httpapi.Answers{
		200: "The process ids, ascending",
		503: httpapi.MeansUnavailable,
	}, f.workers)
}

func (f *function) workers(ctx context.Context, _ *struct{}) (*workersOutput, error) {
	topology, err := f.topology(ctx, cluster.Command{Topology: true})
	if err != nil {
		return nil, err
	}
	pids := []int{}
	for _, w := range topology.Body.Workers {
		pids = append(pids, w.PID)
	}
	slices.Sort(pids)
	return &workersOutput{Body: pids}, nil
}
