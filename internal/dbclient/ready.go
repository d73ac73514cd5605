package dbclient

import (
	"context"
	"fmt"
	"net/http"
)

// Ready returns nil when the orchestrator says that it can serve. It reads nothing from the database.
func (c *Client) Ready(ctx context.Context) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.url+"/readyz", nil)
	if err != nil {
		return fmt.Errorf("dbclient: %w", err)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return fmt.Errorf("the orchestrator cannot be reached: %w", err)
	}
	defer func() { _ = resp.Body.Close() }() // nothing is written to it
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("the orchestrator answers %d", resp.StatusCode)
	}
	return nil
}
