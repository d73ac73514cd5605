package httpapi

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"rideshare/internal/db"
	"rideshare/internal/tracing"
)

// MaxBody is the size of the largest request body, in bytes; a larger one is a 413.
const MaxBody = 1 << 20

// Options are the options of an API. Every field has a default.
type Options struct {
	Title   string
	Version string
	Logger  *slog.Logger // default: nothing is logged
	// Guard decides who may use an operation that has a Security requirement. Without one such
	// operations are refused, so that forgetting it opens nothing.
	Guard Guard
	// Hosts are the hosts that requests may name if the system asks for no tokens. Default: any.
	Hosts *Hosts
	// Timeout is how long a request may take. Default: 10 s.
	Timeout time.Duration
	// Newest is the newest position that this instance knows, for Consistency-Token on answers
	// to requests that know none. Default: the zero Position.
	Newest func() db.Position
	// Ready says whether the instance can serve, for /readyz. Default: always.
	Ready func(context.Context) error
	// Observe is told of every request after it was answered. It must not wait.
	Observe Observer
	// Tracer begins a span for every request, below the one that the request tells of.
	Tracer tracing.Tracer
	// Origins are those whose pages may use the operations that want no service token. See ParseOrigins.
	Origins []string
	// Handlers are further handlers by their ServeMux pattern, for example "GET /metrics".
	Handlers map[string]http.Handler
}

// API is a huma API on a ServeMux. It speaks JSON only.
type API struct {
	huma.API
	mux     *http.ServeMux
	options Options
	public  map[string]bool     // the patterns of the operations that want no service token
	methods map[string][]string // of the operations with just that path, in order
}

// Logger returns the logger of the options, never nil.
func (a *API) Logger() *slog.Logger { return a.options.Logger }

// New returns an API that has /healthz, /readyz and the Handlers of the options. Operations are
// added with Register, before Handler is called.
func New(o Options) *API {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Timeout == 0 {
		o.Timeout = 10 * time.Second
	}
	if o.Newest == nil {
		o.Newest = func() db.Position { return db.Position{} }
	}
	mux := http.NewServeMux()
	config := huma.DefaultConfig(o.Title, o.Version)
	// The create hooks would add $schema members and Link headers to answers. The document and
	// its page are package apidoc's: they describe all functions, wherever they are served.
	config.CreateHooks = nil
	config.OpenAPIPath, config.DocsPath, config.SchemasPath = "", "", ""
	config.Components.SecuritySchemes = securitySchemes()
	a := &API{API: huma.NewAPI(config, adapter{mux}), mux: mux, options: o, public: map[string]bool{}, methods: map[string][]string{}}
	a.OpenAPI().Components.Responses = map[string]*huma.Response{}
	for status, meaning := range commonAnswers() {
		a.OpenAPI().Components.Responses[strconv.Itoa(status)] = a.response(status, meaning)
	}
	a.UseMiddleware(a.authorize)
	a.registerHealth()
	for pattern, h := range o.Handlers {
		mux.Handle(pattern, h)
	}
	return a
}

// Handler returns the API with its middleware.
func (a *API) Handler() http.Handler {
	o := a.options
	return chain(http.HandlerFunc(a.route),
		secureHeaders,
		requestIDs,
		observe(o.Tracer, o.Observe),
		logAccess(o.Logger),
		shareOrigins(o.Origins, a.shared),
		consistencyTokens(o.Newest),
		recoverPanics(o.Logger),
		o.Hosts.only(),
		sameOrigin(),
		strict,
		LimitBody(MaxBody),
		limitTime(o.Timeout),
	)
}

// Negotiate implements huma.API. Whatever a client accepts, it gets JSON.
func (a *API) Negotiate(string) (string, error) { return "application/json", nil }

// Unmarshal implements huma.API. Whatever a client calls its body, it is JSON: curl -d calls it a
// form, and the published API never looked.
func (a *API) Unmarshal(_ string, data []byte, v any) error {
	if raw, ok := v.(interface{ set(body []byte) }); ok {
		raw.set(data)
		return nil
	}
	return decodeJSON(data, v)
}

// encoded is the body of an answer that knows its JSON form, so that it need not be encoded.
type encoded interface{ Encode() []byte }

// Marshal implements huma.API.
func (a *API) Marshal(w io.Writer, _ string, v any) error {
	if e, ok := v.(encoded); ok {
		_, _ = w.Write(append(e.Encode(), '\n')) // as below
		return nil
	}
	data, err := json.Marshal(v)
	if err != nil {
		return err
	}
	// huma panics when this returns an error, and one of writing means only that the client is
	// gone: there is nobody to tell.
	_, _ = w.Write(append(data, '\n'))
	return nil
}
