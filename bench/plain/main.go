// Command plain is what the system is compared with: an HTTP server that answers the same requests
// straight out of a MySQL, without a queue, a replica or a failover of its own. Before a group of
// MySQLs (Group Replication) it uses whichever is the primary.
package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"rideshare/internal/config"
)

// settings are read from the environment.
type settings struct {
	Addr        string   `env:"RIDESHARE_ADDR" envDefault:":8080" doc:"where it listens"`
	DSNs        []string `env:"MYSQL_DSN,required" doc:"the databases, separated by commas; several are a group"`
	Connections int      `env:"MYSQL_CONNECTIONS" envDefault:"32" doc:"how many connections to the database there are at most"`
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "plain:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	c, err := config.Load[settings](os.Environ())
	if err != nil {
		return err
	}
	g, err := openGroup(c.DSNs, c.Connections)
	if err != nil {
		return err
	}
	go g.follow(ctx)
	server := &http.Server{Addr: c.Addr, Handler: handler(g), ReadHeaderTimeout: 5 * time.Second}
	context.AfterFunc(ctx, func() { _ = server.Close() })
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
