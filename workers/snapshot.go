package workers

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"rideshare/internal/backup"
	"rideshare/internal/registry"
	"rideshare/internal/secret"
)

// Where a worker gives snapshots and digests over HTTP.
const (
	snapshotPath = "/snapshot"
	digestPath   = "/digest"
)

// Snapshots returns a handler that gives snapshots and digests to callers that have the token, and
// answers /healthz and /readyz.
func (w *Worker) Snapshots(token *secret.Secret) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("GET /readyz", func(rw http.ResponseWriter, _ *http.Request) {
		if v := w.status.now(); !v.serving() {
			http.Error(rw, string(v.State), http.StatusServiceUnavailable)
		}
	})
	guarded := func(pattern string, h http.HandlerFunc) {
		mux.HandleFunc(pattern, func(rw http.ResponseWriter, r *http.Request) {
			presented, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
			if !ok || !token.Accepts(presented) {
				http.Error(rw, "the token of snapshots is missing or wrong", http.StatusUnauthorized)
				return
			}
			h(rw, r)
		})
	}
	guarded("GET "+digestPath, func(rw http.ResponseWriter, r *http.Request) {
		digest, err := w.Digest(r.Context())
		if err != nil {
			http.Error(rw, err.Error(), http.StatusServiceUnavailable)
			return
		}
		_, _ = io.WriteString(rw, digest) // an error means that nobody listens any more
	})
	guarded("GET "+snapshotPath, func(rw http.ResponseWriter, r *http.Request) {
		if v := w.status.now(); !v.gives() {
			http.Error(rw, "this worker is "+string(v.State), http.StatusServiceUnavailable)
			return
		}
		if err := w.Export(r.Context(), backup.Patient(rw, http.NewResponseController(rw))); err != nil {
			w.Logger.Warn("a snapshot was cut off", "why", err)
			panic(http.ErrAbortHandler) // the reader must not take it for whole
		}
	})
	return mux
}

// FetchHTTP returns a Config.Fetch that asks the handler of Snapshots, at the host and port that
// is the donor's Addr.
func FetchHTTP(client *http.Client, token *secret.Secret) func(context.Context, registry.Member) (io.ReadCloser, error) {
	remote := Remote{Client: client, Token: token}
	return func(ctx context.Context, donor registry.Member) (io.ReadCloser, error) {
		return remote.Snapshot(ctx, donor.Addr)
	}
}

// Remote asks the handlers of Snapshots, each at the host and port that is the worker's Addr.
type Remote struct {
	Client *http.Client
	Token  *secret.Secret // of snapshots
}

// Snapshot begins to read a worker's snapshot. What cuts it off is an error of the reader, as is a worker
// that sends nothing for longer than backup.Stall while it is read from.
func (r Remote) Snapshot(ctx context.Context, addr string) (io.ReadCloser, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	stalls := time.AfterFunc(backup.Stall, func() { cancel(errStalled) })
	body, err := r.get(ctx, addr, snapshotPath)
	stalls.Stop()
	s := &snapshotReader{body, ctx, cancel, stalls}
	if err != nil {
		err = s.why(err)
		cancel(nil)
		return nil, err
	}
	return s, nil
}

// errStalled: a worker that gives a snapshot sends nothing, and its connection lives.
var errStalled = fmt.Errorf("nothing came for %v", backup.Stall)

type snapshotReader struct {
	io.ReadCloser
	ctx    context.Context
	cancel context.CancelCauseFunc
	stalls *time.Timer // runs while somebody reads
}

// Read implements io.Reader.
func (s *snapshotReader) Read(p []byte) (int, error) {
	s.stalls.Reset(backup.Stall)
	defer s.stalls.Stop()
	n, err := s.ReadCloser.Read(p)
	return n, s.why(err)
}

// Close implements io.Closer.
func (s *snapshotReader) Close() error {
	defer s.cancel(nil)
	return s.ReadCloser.Close()
}

func (s *snapshotReader) why(err error) error {
	if err != nil && errors.Is(context.Cause(s.ctx), errStalled) {
		return errStalled
	}
	return err
}

// Digest returns a worker's digest (Worker.Digest).
func (r Remote) Digest(ctx context.Context, addr string) (string, error) {
	body, err := r.get(ctx, addr, digestPath)
	if err != nil {
		return "", err
	}
	defer body.Close() //nolint:errcheck // nothing is written to it
	const most = 256
	digest, err := io.ReadAll(io.LimitReader(body, most))
	return string(digest), err
}

func (r Remote) get(ctx context.Context, addr, path string) (io.ReadCloser, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+addr+path, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+r.Token.Current())
	resp, err := r.Client.Do(req)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusOK {
		_ = resp.Body.Close() // nothing of it is wanted
		return nil, fmt.Errorf("%s answers %d", addr, resp.StatusCode)
	}
	return resp.Body, nil
}
