//go:build !race

package failover

import "time"

// slowest is the median that is wanted in one process, from the kill to the next acknowledged write.
// On two idle cores it is 10 ms.
const slowest = 100 * time.Millisecond
