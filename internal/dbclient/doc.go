// Package dbclient is how the functions that have no database of their own reach it: through the
// orchestrator's database API, over HTTP.
package dbclient
