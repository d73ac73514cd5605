package mysql

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/go-sql-driver/mysql"
)

// fence makes the connections of the one that writes, one at a time. Before it hands one out it
// ends those before it, and waits until they are gone: a commit that was under way when its client
// died may otherwise become visible after the successor has read where it has to go on, and what a
// cut-off connection has locked stays locked.
type fence struct {
	driver.Connector
	user, schema string
	last         uint64 // the connection before, 0: the first one has to end everybody else's
}

// Connect implements driver.Connector. The pool has one connection, so calls do not overlap.
func (f *fence) Connect(ctx context.Context) (driver.Conn, error) {
	c, err := f.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	if err := f.endOthers(ctx, c); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
}

func (f *fence) endOthers(ctx context.Context, c driver.Conn) error {
	own, err := connectionID(ctx, c)
	if err != nil {
		return err
	}
	for {
		others, err := f.others(ctx, c, own)
		if err != nil || len(others) == 0 {
			f.last = own
			return err
		}
		for _, id := range others {
			_, err := c.(driver.ExecerContext).ExecContext(ctx, fmt.Sprintf("KILL %d", id), nil)
			if err != nil && !isError(err, noSuchThread) {
				return fmt.Errorf("end the connection before: %w", err)
			}
		}
		select {
		case <-time.After(5 * time.Millisecond):
		case <-ctx.Done():
			return fmt.Errorf("waiting for connection %d to end: %w", others[0], ctx.Err())
		}
	}
}

// others returns the connections to end.
func (f *fence) others(ctx context.Context, c driver.Conn, own uint64) ([]uint64, error) {
	// Of other users' it shows nothing, unless this user is privileged.
	rows, err := query(ctx, c, "SHOW PROCESSLIST")
	if err != nil {
		return nil, err
	}
	var ids []uint64
	for _, row := range rows { // Id, User, Host, db, Command, Time, State, Info
		id, err := strconv.ParseUint(row[0], 10, 64)
		if err != nil {
			return nil, fmt.Errorf("the list of connections: %w", err)
		}
		before := f.last == 0 || id == f.last
		if before && id != own && row[1] == f.user && row[3] == f.schema {
			ids = append(ids, id)
		}
	}
	return ids, nil
}

func connectionID(ctx context.Context, c driver.Conn) (uint64, error) {
	rows, err := query(ctx, c, "SELECT CONNECTION_ID()")
	if err != nil {
		return 0, err
	}
	return strconv.ParseUint(rows[0][0], 10, 64)
}

// query returns the rows of a query as text.
func query(ctx context.Context, c driver.Conn, text string) (all [][]string, err error) {
	rows, err := c.(driver.QueryerContext).QueryContext(ctx, text, nil)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", text, err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	values := make([]driver.Value, len(rows.Columns()))
	for {
		switch err := rows.Next(values); {
		case errors.Is(err, io.EOF):
			return all, nil
		case err != nil:
			return nil, fmt.Errorf("%s: %w", text, err)
		}
		row := make([]string, len(values))
		for i, v := range values {
			if data, ok := v.([]byte); ok {
				row[i] = string(data)
			} else {
				row[i] = fmt.Sprint(v)
			}
		}
		all = append(all, row)
	}
}

// isError reports whether err is the server's with that number.
func isError(err error, number uint16) bool {
	var e *mysql.MySQLError
	return errors.As(err, &e) && e.Number == number
}
