// Package lists bounds the work on long lists.
package lists

import (
	"runtime"

	"golang.org/x/sync/semaphore"
)

// Slots returns the slots of lists of more than one page. A list takes one while it is put together. There are half
// as many as processors, so that other requests find one, and 4 at most, as each list may take tens of MiB.
func Slots() *semaphore.Weighted {
	return semaphore.NewWeighted(int64(min(max(runtime.GOMAXPROCS(0)/2, 1), 4)))
}
