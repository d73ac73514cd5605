package dockertest

import (
	"context"
	"net"
	"time"
)

// pingTime is how long one ping may take. Docker accepts connections to a published port before the
// service listens, so only an answer counts.
const pingTime = 2 * time.Second

// dial connects to a port of the container, for one exchange.
func (c *Container) dial(ctx context.Context, port int) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, pingTime)
	defer cancel()
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", c.Addr(port))
	if err != nil {
		return nil, err
	}
	deadline, _ := ctx.Deadline()
	if err := conn.SetDeadline(deadline); err != nil {
		_ = conn.Close()
		return nil, err
	}
	return conn, nil
}
