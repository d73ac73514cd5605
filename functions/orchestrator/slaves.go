package orchestrator

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"rideshare/internal/cluster"
	"rideshare/internal/httpapi"
)

// slaves says how many slaves there should be: exactly one of its members is given.
type slaves struct {
	Count *int `json:"count,omitempty" minimum:"0" maximum:"10000" doc:"So many; turns the autoscaler off" example:"3"`
	Auto  bool `json:"auto,omitempty" enum:"true" doc:"As many as the autoscaler thinks right" example:"true"`
}

type slavesInput struct {
	Body slaves `example:"{\"count\":3}"`
}

func (f *function) registerSlaves(api *httpapi.API) {
	httpapi.Register(api, huma.Operation{
		OperationID: "set-slaves", Method: http.MethodPut, Path: "/api/v1/cluster/slaves", Tags: []string{clusterTag},
		Summary:  "Set the number of slaves, or leave it to the autoscaler",
		Security: httpapi.Require(httpapi.Service),
	}, httpapi.Answers{
		200: "The topology, with the new number desired",
		400: "Neither or both of count and auto are given, or the count is not within the limits",
		503: httpapi.MeansUnavailable,
	}, f.setSlaves)
}

func (f *function) setSlaves(ctx context.Context, in *slavesInput) (*topologyOutput, error) {
	if (in.Body.Count != nil) == in.Body.Auto {
		return nil, httpapi.BadRequest("count", `must be given, or "auto":true instead of it`)
	}
	command := cluster.ScaleCommand{Auto: in.Body.Auto}
	if in.Body.Count != nil {
		command.Count = *in.Body.Count
	}
	return f.topology(ctx, cluster.Command{By: f.by(ctx), Scale: &command})
}
