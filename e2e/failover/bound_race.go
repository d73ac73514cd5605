//go:build race

package failover

import "time"

// slowest: the race detector makes everything some ten times slower, the database most of all.
const slowest = time.Second
