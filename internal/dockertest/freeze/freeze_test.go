package freeze_test

import (
	"errors"
	"testing"
	"testing/synctest"

	"rideshare/internal/dockertest/freeze"
)

func TestPersist(t *testing.T) {
	busy, other := errors.New("OCI runtime pause failed: unable to freeze: unknown"), errors.New("No such container")
	for _, test := range []struct {
		name  string
		busy  int // times, before end
		end   error
		calls int
		want  error
	}{
		{"at once", 0, nil, 1, nil},
		{"after some tries", 3, nil, 4, nil},
		{"another error", 0, other, 1, other},
		{"never", 1000, nil, 40, busy},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				calls := 0
				err := freeze.Persist(func() error {
					if calls++; calls <= test.busy {
						return busy
					}
					return test.end
				})
				if !errors.Is(err, test.want) || calls != test.calls {
					t.Errorf("%v after %d calls, want %v after %d", err, calls, test.want, test.calls)
				}
			})
		})
	}
}
