package orchestrator

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"rideshare/internal/bus"
	"rideshare/internal/cluster"
	"rideshare/internal/httpapi"
)

const (
	eventPeriod = 500 * time.Millisecond
	// eventPatience is how long is waited for the watcher's answer.
	eventPatience = 2 * time.Second
	// eventRecoveries is how many recoveries an event has: all of them would be most of it.
	eventRecoveries = 12
)

// outage is the event that stands for a topology that could not be read.
type outage struct {
	Part   string          `json:"part" enum:"broker,watcher,registry" doc:"The part that does not answer"`
	Detail string          `json:"detail" doc:"What is wrong"`
	Queues []cluster.Queue `json:"queues,omitempty" nullable:"false" doc:"The queues of requests, where the broker answers"`
}

func (f *function) registerEvents(api *httpapi.API) {
	const path = "/api/v1/cluster/events"
	httpapi.Register(api, huma.Operation{
		OperationID: "watch-cluster", Method: http.MethodGet, Path: path, Tags: []string{clusterTag},
		Summary: "Watch the topology",
		Description: "Server-sent events: `topology` with the topology, when it has changed; `outage` with what does not " +
			"answer; a comment every half second where nothing has changed.",
		Security: httpapi.Require(httpapi.Service),
	}, httpapi.Answers{
		200: "Events, until the client closes the connection or the server ends",
		501: "Answers cannot be streamed here, as on Lambda: read the topology every few seconds instead",
		503: httpapi.MeansUnavailable,
	}, func(ctx context.Context, _ *struct{}) (*huma.StreamResponse, error) {
		return httpapi.Events(ctx, "/api/v1/cluster", f.sendEvents), nil
	})
	schema := api.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[cluster.Topology](), true, "Topology")
	api.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[outage](), true, "Outage")
	api.OpenAPI().Paths[path].Get.Responses["200"].Content = map[string]*huma.MediaType{httpapi.EventType: {Schema: schema}}
}

// sendEvents sends the topology whenever it has changed.
func (f *function) sendEvents(ctx context.Context, s *httpapi.EventStream) {
	events, leave := f.feed.listen()
	defer leave()
	if s.Send([]byte("retry: 1000\n\n")) != nil {
		return
	}
	var last []byte
	for {
		select {
		case event := <-events:
			news := event
			if bytes.Equal(event, last) {
				news = []byte(":\n\n")
			}
			if s.Send(news) != nil {
				return
			}
			last = event
		case <-ctx.Done():
			return
		}
	}
}

// event reads the topology and writes it as an event.
func (f *function) event(ctx context.Context) []byte {
	ctx, cancel := context.WithTimeout(ctx, eventPatience)
	defer cancel()
	queues, err := f.queues(ctx)
	if err != nil {
		return eventOf("outage", outage{Part: "broker", Detail: reason(err)})
	}
	answer, err := f.control(ctx, cluster.Command{Topology: true})
	switch {
	case err == nil && answer.Topology != nil:
		t := answer.Topology
		t.Queues = queues
		t.Recoveries = t.Recoveries[:min(len(t.Recoveries), eventRecoveries)]
		return eventOf("topology", t)
	case errors.Is(err, errNoRegistry):
		return eventOf("outage", outage{Part: "registry", Detail: "the registry does not answer the watcher", Queues: queues})
	default:
		return eventOf("outage", outage{Part: "watcher", Detail: "no watcher answers", Queues: queues})
	}
}

func eventOf(name string, data any) []byte {
	body, err := json.Marshal(data)
	if err != nil {
		panic(err) // the types above have a JSON form, whatever is in them
	}
	return fmt.Appendf(nil, "event: %s\ndata: %s\n\n", name, body)
}

// queues returns the state of the queues.
func (f *function) queues(ctx context.Context) ([]cluster.Queue, error) {
	queues := []cluster.Queue{}
	for _, q := range []bus.Queue{bus.Writes, bus.Reads, bus.Control} {
		found, err := f.bus.Inspect(ctx, q)
		if err != nil {
			return nil, err
		}
		queues = append(queues, cluster.Queue{Name: string(q), Waiting: found.Waiting, Consumers: found.Consumers})
	}
	return queues, nil
}

// errNoRegistry: the registry does not answer the watcher.
var errNoRegistry = errors.New("orchestrator: no registry")
