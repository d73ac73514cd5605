package amqp

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	amqp091 "github.com/rabbitmq/amqp091-go"
)

func threeNodes(t *testing.T) *Broker {
	t.Helper()
	b, err := NewBroker(Options{URL: "amqp://u:p@one,two,three/"})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestNodesThatWereGivenUpComeLast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := threeNodes(t)
		first, second := b.nodes[0], b.nodes[1]
		b.giveUp(first)
		time.Sleep(time.Second)
		b.giveUp(second)
		for range 10 {
			if order := b.order(); !slices.Equal(order[1:], []string{first, second}) {
				t.Fatalf("order %v", order)
			}
		}
		b.proved(first)
		for range 10 {
			if order := b.order(); order[2] != second {
				t.Fatalf("order %v after one of them has confirmed", order)
			}
		}
		b.doubt(second, true) // its reader found it silent
		b.giveUp(second)      // the connection's end
		b.proved(second)
		for range 10 {
			if order := b.order(); order[2] != second {
				t.Fatalf("order %v after one confirmed that its reader gave up", order)
			}
		}
		time.Sleep(avoidFor + time.Second)
		b.order()
		if len(b.givenUp) > 0 {
			t.Errorf("still given up: %v", b.givenUp)
		}
	})
}

// answers returns a set-up that does with the n-th node what the n-th function says.
func answers(functions ...func(context.Context) (int, error)) func(context.Context, Dialer) (int, error) {
	n := make(chan int, 1)
	n <- 0
	return func(ctx context.Context, _ Dialer) (int, error) {
		i := <-n
		n <- i + 1
		return functions[i](ctx)
	}
}

func hangs(ctx context.Context) (int, error) { <-ctx.Done(); return 0, ctx.Err() }

func works(context.Context) (int, error) { return 7, nil }

func slow(ctx context.Context) (int, error) {
	select {
	case <-time.After(2 * lastPace):
		return 7, nil
	case <-ctx.Done():
		return 0, ctx.Err()
	}
}

func refuses(context.Context) (int, error) {
	return 0, &amqp091.Error{Code: amqp091.PreconditionFailed, Server: true}
}

func fails(context.Context) (int, error) { return 0, ErrLost }

func TestConnect(t *testing.T) {
	const limit = 3 * lastPace
	type setup = func(context.Context) (int, error)
	for name, test := range map[string]struct {
		nodes   []setup
		want    int
		took    time.Duration
		givenUp int
	}{
		"the first works": {[]setup{works}, 7, 0, 0},
		"one hangs":       {[]setup{hangs, works}, 7, dialPace, 1},
		"two hang":        {[]setup{hangs, hangs, works}, 7, 2 * dialPace, 2},
		"one fails":       {[]setup{fails, works}, 7, 0, 1},
		"one refuses":     {[]setup{refuses, works}, 7, 0, 0},
		"all fail":        {[]setup{fails, fails, fails}, 0, 0, 3},
		// The others may be back: they are tried again.
		"two refuse and one hangs": {[]setup{refuses, refuses, hangs, works}, 7, lastPace, 1},
		"all hang, then one works": {[]setup{hangs, hangs, hangs, hangs, works}, 7, 2*dialPace + lastPace + dialPace, 3},
		// Nobody is given up in vain: a machine may be so slow that it never takes less.
		"all are slow":     {[]setup{slow, slow, slow, slow, slow, slow}, 7, 2 * lastPace, 3},
		"all hang for all": {[]setup{hangs, hangs, hangs, hangs, hangs, hangs, hangs, hangs, hangs}, 0, limit, 3},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := threeNodes(t)
				begun := time.Now()
				ctx, cancel := context.WithTimeout(t.Context(), limit)
				defer cancel()
				got, err := Connect(ctx, b, answers(test.nodes...), func(int) {})
				if got != test.want || (err == nil) != (test.want != 0) {
					t.Errorf("%d, %v", got, err)
				}
				if took := time.Since(begun); took != test.took {
					t.Errorf("it took %v, want %v", took, test.took)
				}
				if len(b.givenUp) != test.givenUp {
					t.Errorf("%d nodes were given up, want %d", len(b.givenUp), test.givenUp)
				}
			})
		})
	}
}

// Connect drops a connection that is ready too late, and leaves nothing running when it returns.
func TestConnectDropsWhatIsLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		late := func(ctx context.Context) (int, error) { <-ctx.Done(); return 3, nil }
		var dropped []int
		got, err := Connect(t.Context(), threeNodes(t), answers(late, works), func(n int) { dropped = append(dropped, n) })
		if got != 7 || err != nil || !slices.Equal(dropped, []int{3}) {
			t.Errorf("%d, %v; dropped %v", got, err, dropped)
		}
	})
}

func TestConnectEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := Connect(ctx, threeNodes(t), answers(hangs, hangs, hangs), func(int) {}); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v", err)
		}
	})
}
