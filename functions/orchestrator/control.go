package orchestrator

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/google/uuid"

	"rideshare/internal/bus"
	"rideshare/internal/cluster"
	"rideshare/internal/db"
	"rideshare/internal/httpapi"
)

// control passes a command to the leading watcher, and returns its answer unless that is a problem.
func (f *function) control(ctx context.Context, c cluster.Command) (cluster.Answer, error) {
	command, err := json.Marshal(c)
	if err != nil {
		return cluster.Answer{}, err
	}
	body, err := f.call(ctx, bus.Control, bus.Request{ID: uuid.NewString(), Body: command})
	if err != nil {
		return cluster.Answer{}, err
	}
	var answer cluster.Answer
	if err := json.Unmarshal(body, &answer); err != nil {
		return cluster.Answer{}, db.Errorf(db.Unavailable, "the watcher's answer cannot be read: %s", err)
	}
	switch answer.Problem {
	case "":
		return answer, nil
	case cluster.NoSuchWorker:
		return cluster.Answer{}, httpapi.NewProblem(http.StatusConflict, "%s", answer.Message)
	case cluster.OutOfRange:
		return cluster.Answer{}, httpapi.BadRequest("count", "%s", answer.Message)
	case cluster.NoRegistry:
		return cluster.Answer{}, fmt.Errorf("%w (%w)", db.Errorf(db.Unavailable, "%s", answer.Message), errNoRegistry)
	default:
		return cluster.Answer{}, db.Errorf(db.Unavailable, "%s", answer.Message)
	}
}

// topology is control for the commands that are answered with the topology.
func (f *function) topology(ctx context.Context, c cluster.Command) (*topologyOutput, error) {
	answer, err := f.control(ctx, c)
	if err != nil {
		return nil, err
	}
	if answer.Topology == nil {
		return nil, db.Errorf(db.Unavailable, "the watcher's answer has no topology")
	}
	return &topologyOutput{Body: answer.Topology}, nil
}

type topologyOutput struct{ Body *cluster.Topology }
