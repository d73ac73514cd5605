package memory_test

import (
	"testing"
	"testing/synctest"
	"time"

	"rideshare/internal/registry"
	"rideshare/internal/registry/memory"
)

func TestCutSessionHearsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := memory.NewServer(memory.Options{})
		cut, other := server.Connect(), server.Connect()
		watch := cut.Watch(t.Context())
		cut.Cut()
		if err := other.Register(t.Context(), registry.Member{ID: "w"}); err != nil {
			t.Fatal(err)
		}
		if len(watch) != 0 {
			t.Error("a watch fired in a session that is cut off")
		}
		cut.Heal()
		if len(watch) != 1 {
			t.Error("the change was not made up for")
		}
	})
}

func TestDefaultTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := memory.NewServer(memory.Options{})
		dead, observer := server.Connect(), server.Connect()
		if err := dead.Register(t.Context(), registry.Member{ID: "w"}); err != nil {
			t.Fatal(err)
		}
		dead.Kill()
		for want := 1; want >= 0; want-- {
			if all, err := observer.Members(t.Context()); err != nil || len(all) != want {
				t.Errorf("members %v, %v; want %d", all, err, want)
			}
			time.Sleep(time.Second)
			synctest.Wait()
		}
	})
}
