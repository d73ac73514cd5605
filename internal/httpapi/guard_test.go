package httpapi

import (
	"context"
	"net/http"
	"testing"

	"github.com/danielgtaylor/huma/v2"
)

func guarded(guard Guard) http.Handler {
	a := New(Options{Guard: guard})
	Register(a, huma.Operation{
		OperationID: "own", Method: http.MethodGet, Path: "/own/{name}", Summary: "Own", Security: Require(User),
	}, Answers{200: "Done"}, func(ctx context.Context, in *struct {
		Name string `path:"name"`
	}) (*EmptyOutput, error) {
		if err := RequireSubject(ctx, in.Name); err != nil {
			return nil, err
		}
		return &EmptyOutput{}, nil
	})
	return a.Handler()
}

func TestGuard(t *testing.T) {
	h := guarded(func(ctx context.Context, security []map[string][]string, authorization string) (context.Context, error) {
		if _, ok := security[0][User]; !ok {
			t.Errorf("security %v", security)
		}
		switch authorization {
		case "":
			return nil, Unauthorized(`Bearer realm="x"`, "no")
		case "nobody":
			return ctx, nil
		default:
			return WithSubject(ctx, Account{Username: authorization}), nil
		}
	})
	w := do(h, http.MethodGet, "/own/alice", nil)
	problem(t, w, 401)
	if w.Header().Get("WWW-Authenticate") != `Bearer realm="x"` {
		t.Errorf("%v", w.Header())
	}
	problem(t, do(h, http.MethodGet, "/own/alice", nil, "Authorization", "bob"), 403)
	for _, who := range []string{"alice", "nobody"} {
		if w := do(h, http.MethodGet, "/own/alice", nil, "Authorization", who); w.Code != 200 {
			t.Errorf("%s: %d", who, w.Code)
		}
	}
	if w := do(h, http.MethodGet, "/healthz", nil); w.Code != 200 {
		t.Errorf("an open operation: %d", w.Code)
	}
}

func TestWithoutGuardNothingIsOpen(t *testing.T) {
	problem(t, do(guarded(nil), http.MethodGet, "/own/alice", nil), 403)
}
