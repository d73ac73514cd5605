package main

import (
	"context"
	"strings"

	"rideshare/e2e/stack"
)

const plainImage = "rideshare/plain:dev"

// schema is that of our stores, but for the number of a ride, which MySQL gives.
const schema = `
ALTER DATABASE rideshare COLLATE utf8mb4_0900_bin;
CREATE TABLE users (username VARCHAR(128) PRIMARY KEY, password_hash VARCHAR(255) NOT NULL);
CREATE TABLE rides (
	ride_id BIGINT PRIMARY KEY AUTO_INCREMENT, created_by VARCHAR(128) NOT NULL,
	source BIGINT NOT NULL, destination BIGINT NOT NULL, departs_at BIGINT NOT NULL,
	INDEX rides_route (source, destination, departs_at), INDEX rides_created_by (created_by),
	FOREIGN KEY (created_by) REFERENCES users (username) ON DELETE CASCADE);
CREATE TABLE riders (
	ride_id BIGINT NOT NULL, username VARCHAR(128) NOT NULL, joined BIGINT NOT NULL,
	PRIMARY KEY (ride_id, username), INDEX riders_username (username),
	FOREIGN KEY (ride_id) REFERENCES rides (ride_id) ON DELETE CASCADE,
	FOREIGN KEY (username) REFERENCES users (username) ON DELETE CASCADE);`

// startPlain starts the plain server before one MySQL.
func startPlain(ctx context.Context, l *lab) (*system, error) {
	d, err := l.startDatabase(ctx, "single", databaseArgs()...)
	if err != nil {
		return nil, err
	}
	if _, err := d.query(ctx, schema); err != nil {
		return nil, err
	}
	return l.startServer(ctx, plain, "server", d)
}

// startServer starts a plain server before databases, and waits until it serves.
func (l *lab) startServer(ctx context.Context, name, container string, databases ...*database) (*system, error) {
	var dsns []string
	for _, d := range databases {
		dsns = append(dsns, d.dsn())
	}
	container, err := l.start(ctx, container, plainImage, 256, 256, []string{"MYSQL_DSN=" + strings.Join(dsns, ",")}, nil, nil)
	if err != nil {
		return nil, err
	}
	address, err := stack.Address(container)
	if err != nil {
		return nil, err
	}
	s := newSystem(name, "http://"+address+":8080", "")
	return s, s.awaitReady(ctx)
}
