// Package users is the function for users: signing up, listing, deleting, signing in and out, and changing
// passwords.
package users

import (
	"net/http"
	"time"

	"golang.org/x/sync/semaphore"

	"rideshare/functions/internal/account"
	"rideshare/functions/internal/lists"
	"rideshare/internal/auth"
	"rideshare/internal/dbclient"
	"rideshare/internal/httpapi"
)

// Config is what the function depends on. Everything is required, but for an API that is only
// described and never served.
type Config struct {
	DB        dbclient.DB
	Tokens    *auth.Tokens
	Passwords *Passwords
	// Trust says whose word about a client's address is taken.
	Trust httpapi.Trust
}

// New returns the function as a handler.
func New(o httpapi.Options, c Config) http.Handler {
	api := httpapi.New(o)
	Register(api, c)
	return api.Handler()
}

// Register adds the operations to an API.
func Register(api *httpapi.API, c Config) {
	c.DB = account.Bound(c.DB)
	f := &function{c, lists.Slots()}
	f.registerCreate(api)
	f.registerList(api)
	f.registerRemove(api)
	f.registerSignIn(api)
	f.registerChange(api)
	f.registerSignOut(api)
}

type function struct {
	Config
	long *semaphore.Weighted // of lists of more than one page
}

const tag = "Users"

// credentials are a user's name and password, to sign up and to sign in.
type credentials struct {
	Username string `json:"username" doc:"1 to 128 characters, any but control characters and '/', and not . or ... A new name is in NFC, without format characters (category Cf) and without spaces around it" minLength:"1" example:"alice"`
	Password string `json:"password" doc:"SHA-1 of the password, as 40 hex digits" writeOnly:"true" example:"3d725109c7e7c0bfb9d709836735b56d943d263f"`
}

// session is what a user gets for signing in.
type session struct {
	Token   string    `json:"token" doc:"Send it as Authorization: Bearer <token>" example:"eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.e30.c2ln"`
	Expires time.Time `json:"expires" doc:"When it expires" example:"2026-03-01T13:00:00Z"`
}
