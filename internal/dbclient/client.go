package dbclient

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"

	"rideshare/internal/consistency"
	"rideshare/internal/db"
	"rideshare/internal/httpapi"
	"rideshare/internal/secret"
)

// Config is the configuration of a Client.
type Config struct {
	URL       string            // of the orchestrator, without /api/v1
	Token     *secret.Secret    // nil where nobody asks for one
	Transport http.RoundTripper // default: a pool of connections of its own
}

// Client is a DB behind an orchestrator.
type Client struct {
	url    string
	token  *secret.Secret
	http   *http.Client
	newest consistency.Newest
}

var _ DB = (*Client)(nil)

// New returns a Client. It dials nothing before the first call.
func New(c Config) *Client {
	if c.Transport == nil {
		t := http.DefaultTransport.(*http.Transport).Clone()
		// The default keeps two, and 100 in all: with more requests at once every one of them would dial.
		t.MaxIdleConns, t.MaxIdleConnsPerHost = 0, 1024
		// By the wall clock: a process that was frozen wakes with connections that may be long dead.
		t.IdleConnTimeout = 20 * time.Second
		c.Transport = t
	}
	return &Client{
		url:   strings.TrimSuffix(c.URL, "/"),
		token: c.Token,
		http:  &http.Client{Transport: c.Transport},
	}
}

// Newest returns the newest position that the client has seen.
func (c *Client) Newest() db.Position { return c.newest.Get() }

// Write implements DB.
func (c *Client) Write(ctx context.Context, id string, w db.Write) (db.WriteResult, error) {
	var digest string
	if id == "" {
		id = uuid.NewString() // for our own retries
		digest = id           // nobody else uses the id: the orchestrator need not work out a digest
	} else {
		digest = httpapi.Digest(ctx)
	}
	var result db.WriteResult
	if err := c.call(ctx, "/api/v1/db/write", id, digest, w, &result); err != nil {
		return db.WriteResult{}, err
	}
	c.see(ctx, result.Position)
	return result, nil
}

// Read implements DB.
func (c *Client) Read(ctx context.Context, r db.Read) (db.ReadResult, error) {
	request, remembered := consistency.FromContext(ctx), c.newest.Get()
	token := consistency.Max(request.Token(), r.After)
	if r.Consistency != db.Strong {
		r.Consistency, r.After = db.Session, consistency.Max(token, remembered)
	}
	result, err := c.read(ctx, r)
	if db.KindOf(err) == db.BadPosition && !token.Covers(remembered) {
		// It is ours alone that is ahead of the log: that was lost and begun anew.
		c.newest.Forget(remembered)
		r.After = token
		result, err = c.read(ctx, r)
	}
	if db.KindOf(err) == db.BadPosition {
		request.RejectToken()
		var e *db.Error
		errors.As(err, &e)
		return db.ReadResult{}, &db.Error{Kind: e.Kind, Field: consistency.Header, Message: e.Message}
	}
	if err != nil {
		return db.ReadResult{}, err
	}
	c.see(ctx, result.Position)
	return result, nil
}

func (c *Client) read(ctx context.Context, r db.Read) (result db.ReadResult, err error) {
	err = c.call(ctx, "/api/v1/db/read", "", "", r, &result)
	return result, err
}

func (c *Client) see(ctx context.Context, p db.Position) {
	c.newest.See(p)
	consistency.FromContext(ctx).See(p)
}
