package orchestrator

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"rideshare/internal/cluster"
	"rideshare/internal/httpapi"
)

// switchover says who is to be the master.
type switchover struct {
	To slave `json:"to,omitempty" maxLength:"128" doc:"Id of a slave. Default: the most advanced one" example:"p2.1"`
}

// slave is a worker's id. Null is none: who sends it may have meant a worker that is not there.
type slave string

// UnmarshalJSON implements json.Unmarshaler.
func (s *slave) UnmarshalJSON(data []byte) error {
	if string(data) == "null" {
		return errors.New("to must be the id of a slave, or be left out")
	}
	return json.Unmarshal(data, (*string)(s))
}

type switchoverInput struct{ Body switchover }

func (f *function) registerSwitchover(api *httpapi.API) {
	httpapi.Register(api, huma.Operation{
		OperationID: "switch-over", Method: http.MethodPost, Path: "/api/v1/cluster/switchover", Tags: []string{clusterTag},
		Summary:     "Change the master as planned",
		Description: "No request fails by it.",
		Security:    httpapi.Require(httpapi.Service),
	}, httpapi.Answers{
		200: "The topology, with the new master",
		409: "There is no such slave",
		503: httpapi.MeansUnavailable,
	}, f.switchOver)
}

func (f *function) switchOver(ctx context.Context, in *switchoverInput) (*topologyOutput, error) {
	command := cluster.SwitchOver{To: string(in.Body.To)}
	return f.topology(ctx, cluster.Command{By: f.by(ctx), Switchover: &command})
}
