package orchestrator

import (
	"context"
	"net/http"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"golang.org/x/sync/errgroup"

	"rideshare/internal/cluster"
	"rideshare/internal/httpapi"
)

// checksum is what one worker's database holds.
type checksum struct {
	Worker   string `json:"worker" doc:"Id of the worker" example:"p1.1"`
	Seq      uint64 `json:"seq" doc:"The number of the entry up to which its database is: the second part of a position" example:"1024"`
	Checksum string `json:"checksum" doc:"SHA-256 of everything it holds: data, sequences and stored replies" example:"d2a84f4b8b650937ec8f73cd8be2c74add5a911ba64df27458ed8229da804a26"`
	Error    string `json:"error,omitempty" doc:"Why there is no checksum" example:"this worker is joining"`
}

type checksumsOutput struct {
	Body []checksum `nullable:"false"`
}

func (f *function) registerChecksums(api *httpapi.API) {
	httpapi.Register(api, huma.Operation{
		OperationID: "db-checksums", Method: http.MethodGet, Path: "/api/v1/db/checksums", Tags: []string{databaseTag},
		Summary:     "Get the checksum of every replica",
		Description: "Two replicas at the same position have the same checksum. While writes go on, they are at different ones: ask again.",
		Security:    httpapi.Require(httpapi.Service),
	}, httpapi.Answers{
		200: "The checksums, by worker",
		503: httpapi.MeansUnavailable,
	}, f.checksums)
}

func (f *function) checksums(ctx context.Context, _ *struct{}) (*checksumsOutput, error) {
	if f.replicas == nil {
		return nil, errUnreachable()
	}
	topology, err := f.topology(ctx, cluster.Command{Topology: true})
	if err != nil {
		return nil, err
	}
	sums := make([]checksum, len(topology.Body.Workers))
	var g errgroup.Group
	for i, w := range topology.Body.Workers {
		g.Go(func() error {
			sums[i] = f.checksum(ctx, w)
			return nil // which one has none is part of the answer
		})
	}
	return &checksumsOutput{Body: sums}, g.Wait()
}

func (f *function) checksum(ctx context.Context, w cluster.Worker) checksum {
	sum := checksum{Worker: w.ID}
	digest, err := f.replicas.Digest(ctx, w.Addr)
	if err == nil {
		seq, rest, _ := strings.Cut(digest, " ")
		sum.Checksum = rest
		sum.Seq, err = strconv.ParseUint(seq, 10, 64)
	}
	if err != nil {
		sum.Error = err.Error()
	}
	return sum
}
