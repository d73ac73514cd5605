package httpapi

import (
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
)

// adapter connects huma to a ServeMux.
type adapter struct{ *http.ServeMux }

// Handle implements huma.Adapter.
func (a adapter) Handle(op *huma.Operation, handler func(huma.Context)) {
	a.HandleFunc(op.Method+" "+op.Path, func(w http.ResponseWriter, r *http.Request) {
		handler(request{humago.NewContext(op, r, w)})
	})
}

type humaContext = huma.Context

// request is humago's context, but for Query.
type request struct{ humaContext }

// Query implements huma.Context. humago's own overlooks every parameter that follows one without
// a value: it finds no "source" in "?debug&source=1".
func (r request) Query(name string) string {
	u := r.URL()
	return u.Query().Get(name)
}

// Unwrap lets humago find its context.
func (r request) Unwrap() huma.Context { return r.humaContext }
