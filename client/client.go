// Package client is a client of the public API, of users, rides, the database and the cluster. Its
// types and methods are generated from the API's document; this file and those beside it are how a
// request is sent, retried and made to see what this client has seen before.
package client

import (
	"net/http"
	"strings"
	"sync/atomic"
	"time"
)

//go:generate go run ./gen api.gen.go

// DefaultPatience is how long an operation is retried unless WithPatience says otherwise.
const DefaultPatience = 30 * time.Second

// attemptTimeout is how long one attempt may take: more than the server's own limit, 10 s. It does
// not bound streams.
const attemptTimeout = 15 * time.Second

// Client is a client of one system. Its methods may be called concurrently, and return:
//   - *Problem where the answer is an error;
//   - *Unanswered where there was none;
//   - ctx.Err() where ctx ended.
//
// As API.md says, what may be retried is retried with the same Idempotency-Key, after the seconds
// of Retry-After: reads and idempotent writes always, anything else only where the request cannot
// have arrived. Reads see everything that this client has written or seen before, over failovers:
// it sends the newest Consistency-Token it was given.
type Client struct {
	url, token string
	operator   string
	http       *http.Client
	patience   time.Duration
	newest     atomic.Pointer[position]
}

// Option is an option of New.
type Option func(*Client)

// WithToken sets the bearer token: the service token, or that of a user's Session.
func WithToken(token string) Option { return func(c *Client) { c.token = token } }

// WithOperator sets who runs the program, for the history of what operators have done: user@host. Nobody checks it.
func WithOperator(name string) Option { return func(c *Client) { c.operator = name } }

// WithHTTPClient sets the client that sends the requests. It should have no Timeout of its own,
// which would cut off streams. Default: http.DefaultClient.
func WithHTTPClient(h *http.Client) Option { return func(c *Client) { c.http = h } }

// WithPatience sets how long an operation is retried; 0: never. The deadline of ctx may come earlier.
func WithPatience(d time.Duration) Option { return func(c *Client) { c.patience = d } }

// New returns a client of the system at the URL, given without /api/v1. It dials nothing.
func New(url string, options ...Option) *Client {
	c := &Client{url: strings.TrimSuffix(url, "/"), http: http.DefaultClient, patience: DefaultPatience}
	for _, o := range options {
		o(c)
	}
	return c
}

// As returns a client with another token that shares everything else, but has seen nothing yet.
func (c *Client) As(token string) *Client {
	return New(c.url, WithToken(token), WithOperator(c.operator), WithHTTPClient(c.http), WithPatience(c.patience))
}
