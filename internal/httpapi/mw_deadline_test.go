package httpapi

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"
)

func TestLimitTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var left time.Duration
		h := limitTime(10 * time.Second)(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			deadline, _ := r.Context().Deadline()
			left = time.Until(deadline)
		}))
		for came, want := range map[time.Duration]time.Duration{
			0:                10 * time.Second,
			time.Minute:      10 * time.Second,
			3 * time.Second:  2500 * time.Millisecond,
			10 * time.Second: 9500 * time.Millisecond,
		} {
			r := httptest.NewRequest(http.MethodGet, "/", nil)
			if came > 0 {
				ctx, cancel := context.WithTimeout(t.Context(), came)
				defer cancel()
				r = r.WithContext(ctx)
			}
			h.ServeHTTP(httptest.NewRecorder(), r)
			if left != want {
				t.Errorf("came with %v: has %v, want %v", came, left, want)
			}
		}
	})
}
