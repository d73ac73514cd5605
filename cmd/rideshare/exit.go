package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"rideshare/client"
	"rideshare/internal/store"
	"rideshare/watcher"
)

// Exit codes.
const (
	exitFailed       = 1   // it was tried, and did not work
	exitUsage        = 2   // the command line or the configuration is wrong
	exitFound        = 3   // doctor or verify has found something wrong
	exitUnanswered   = 4   // nothing answers, or nobody can serve
	exitUnauthorized = 5   // the token is missing or wrong
	exitInterrupted  = 130 // INT, TERM or HUP; as a shell says it of a program ended by Ctrl-C
)

const exitCodes = `Exit codes: 0 done; 1 it was tried and did not work; 2 the command line or the configuration is
wrong; 3 doctor or verify has found something wrong; 4 nothing answers, or nobody can serve now; 5 the
token is missing or wrong; 130 interrupted.`

// errReported is in an error of which everything was printed.
var errReported = errors.New("reported")

// errFound: the command worked, and has found something wrong. It is printed already.
var errFound = fmt.Errorf("something is wrong: %w", errReported)

// usageError is a mistake on the command line, or in the environment, that cobra has not found.
type usageError struct{ error }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

func exitCode(ctx context.Context, err error) int {
	var unanswered *client.Unanswered
	var usage usageError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &usage):
		return exitUsage
	case errors.Is(err, store.ErrGone), errors.Is(err, watcher.ErrLost): // the user must see this, also after Ctrl-C
		return exitFailed
	case ctx.Err() != nil:
		return exitInterrupted
	case errors.Is(err, errFound):
		return exitFound
	case errors.As(err, &unanswered):
		return exitUnanswered
	}
	switch client.StatusOf(err) {
	case http.StatusUnauthorized, http.StatusForbidden:
		return exitUnauthorized
	case http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return exitUnanswered
	}
	return exitFailed
}

// explained adds to an error what to do about it.
func explained(err error) error {
	var unanswered *client.Unanswered
	switch {
	case errors.As(err, &unanswered):
		return fmt.Errorf("%w\nIs it running? Another address goes with --url; 'rideshare doctor' looks closer", err)
	case client.StatusOf(err) == http.StatusUnauthorized:
		return fmt.Errorf("%w\nGive the service token with --token, RIDESHARE_SERVICE_TOKEN or RIDESHARE_SERVICE_TOKEN_FILE", err)
	}
	return err
}
