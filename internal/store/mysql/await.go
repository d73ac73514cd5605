package mysql

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/go-sql-driver/mysql"
)

var (
	// ErrRefused: the server refuses the user. Waiting does not help.
	ErrRefused = errors.New("mysql: the server refuses the user")
	// ErrSettings: the server is set up in a way in which it would lose data, or is too old.
	ErrSettings = errors.New("mysql: the server's settings are wrong")
)

// The time between two attempts to connect.
const (
	firstRetry   = 20 * time.Millisecond
	longestRetry = 250 * time.Millisecond
)

// await waits until the server lets the writer in, and checks its settings.
func await(ctx context.Context, c Config, writer *sql.DB) error {
	begun := time.Now()
	for wait := firstRetry; ; wait = min(2*wait, longestRetry) {
		err := attempt(ctx, c, writer)
		if err == nil || !retryable(err) {
			return explainRefusal(err)
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return fmt.Errorf("mysql: the server did not answer within %s: %w: %w",
				time.Since(begun).Round(time.Millisecond), ctx.Err(), err)
		}
	}
}

func attempt(ctx context.Context, c Config, writer *sql.DB) error {
	ctx, cancel := context.WithTimeout(ctx, max(c.Patience, 5*time.Second))
	defer cancel()
	return checkSettings(ctx, writer, c.Logger)
}

// retryable reports whether err may go away by itself. What a server says while it starts or ends
// does; that it does not know the user does not.
func retryable(err error) bool {
	return !errors.Is(err, ErrSettings) && advice(err) == ""
}

// explainRefusal adds to a refusal what to do about it.
func explainRefusal(err error) error {
	if what := advice(err); what != "" {
		return fmt.Errorf("%w: %w (%s)", ErrRefused, err, what)
	}
	return err
}

func advice(err error) string {
	var e *mysql.MySQLError
	if !errors.As(err, &e) {
		return ""
	}
	switch e.Number {
	case accessDenied:
		return "check the user and the password in the DSN; a database keeps the password it was created with"
	case hostDenied:
		return "create the user for the host '%'"
	case databaseDenied, commandDenied, columnDenied:
		return "grant the user SELECT, INSERT, UPDATE, DELETE, CREATE, ALTER, INDEX, REFERENCES and DROP on the schema"
	case noSuchSchema:
		return "create the schema, or correct the DSN"
	default:
		return ""
	}
}
