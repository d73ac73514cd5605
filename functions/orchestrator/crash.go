package orchestrator

import (
	"context"
	"net/http"
	"strconv"

	"github.com/danielgtaylor/huma/v2"

	"rideshare/internal/cluster"
	"rideshare/internal/httpapi"
)

type crashOutput struct {
	Body []string `nullable:"false" doc:"The process id that was killed" example:"[\"1000\"]"`
}

func (f *function) registerCrash(api *httpapi.API) {
	for role, summary := range map[cluster.Role]string{
		cluster.Master: "Kill the master",
		cluster.Slave:  "Kill the slave with the highest process id",
	} {
		httpapi.Register(api, huma.Operation{
			OperationID: "crash-" + string(role), Method: http.MethodPost, Path: "/api/v1/crash/" + string(role), Tags: []string{clusterTag},
			Summary:     summary,
			Description: "For trying out what happens then: it is replaced.",
			Security:    httpapi.Require(httpapi.Service),
		}, httpapi.Answers{
			200: "The process id that was killed",
			409: "There is none",
			503: httpapi.MeansUnavailable,
		}, func(ctx context.Context, _ *struct{}) (*crashOutput, error) { return f.crash(ctx, role) })
	}
}

func (f *function) crash(ctx context.Context, role cluster.Role) (*crashOutput, error) {
	answer, err := f.control(ctx, cluster.Command{By: f.by(ctx), Crash: role})
	if err != nil {
		return nil, err
	}
	killed := make([]string, len(answer.Killed))
	for i, pid := range answer.Killed {
		killed[i] = strconv.Itoa(pid)
	}
	return &crashOutput{Body: killed}, nil
}
