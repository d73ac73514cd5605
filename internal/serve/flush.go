package serve

import (
	"context"
	"time"
)

// flushTime is how long a flush may take. The answer waits for it: as soon as that is given, Lambda
// may freeze the process, for minutes or for ever.
const flushTime = 500 * time.Millisecond

// flushSoon flushes, and takes no more than half of what is left until the deadline: the answer has
// to go out after it. What fails is lost, and the invocation does not hear of it.
func (f *Function) flushSoon(ctx context.Context) {
	if f.flush == nil {
		return
	}
	limit := flushTime
	if deadline, ok := ctx.Deadline(); ok {
		limit = min(limit, time.Until(deadline)/2)
	}
	soon, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	if err := f.flush(soon); err != nil {
		f.logger.WarnContext(ctx, "what the invocation leaves is not sent", "why", err)
	}
}
