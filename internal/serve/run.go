package serve

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
)

// Options say how Run serves.
type Options struct {
	Addr        string       // where to listen: host:port
	Connections int          // how many are kept; 0: MaxConnections. Not under Lambda
	Lambda      bool         // whether Lambda runs the program: nothing listens then
	Base        string       // of the paths, under Lambda: see NewFunction
	Logger      *slog.Logger // under Lambda
	// Flush sends what an invocation leaves in memory, before Lambda may freeze the process: it is
	// called at the end of each. Nil: there is nothing to send.
	Flush func(context.Context) error
}

// Run serves the handler until ctx ends: as a Lambda function, or on an address.
func Run(ctx context.Context, h http.Handler, o Options) error {
	if o.Lambda {
		return NewFunction(h, o.Base, o.Logger, o.Flush).run(ctx)
	}
	l, err := Listener(o.Addr)
	if err != nil {
		return fmt.Errorf("cannot listen on %s (RIDESHARE_ADDR): %w", o.Addr, err)
	}
	return limited(ctx, l, h, cmp.Or(o.Connections, MaxConnections))
}

// Listener listens on an address. On 0.0.0.0 it takes connections to the IPv4 addresses of this
// machine, and no others: net.Listen would listen on [::], and thus on those of IPv6, too.
func Listener(addr string) (net.Listener, error) {
	network := "tcp"
	if host, _, err := net.SplitHostPort(addr); err == nil && net.IPv4zero.Equal(net.ParseIP(host)) {
		network = "tcp4"
	}
	return net.Listen(network, addr)
}
