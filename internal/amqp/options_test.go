package amqp

import (
	"slices"
	"strings"
	"testing"
	"time"
)

func TestAddresses(t *testing.T) {
	for url, want := range map[string][]string{
		"amqp://u:p@one/":                     {"amqp://u:p@one/"},
		"amqp://u:p@one:1,two:2, three/vhost": {"amqp://u:p@one:1/vhost", "amqp://u:p@two:2/vhost", "amqp://u:p@three/vhost"},
		"amqp://one,two":                      {"amqp://one", "amqp://two"},
		"amqp://u:p%40@[::1]:5672,h/?x=1":     {"amqp://u:p%40@[::1]:5672/?x=1", "amqp://u:p%40@h/?x=1"},
	} {
		got, err := Options{URL: url}.addresses()
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %q, %v; want %q", url, got, err, want)
		}
	}
}

func TestErrorsNameNoPassword(t *testing.T) {
	for _, url := range []string{
		"", "one:5672", "http://u:secret@one/", "amqp://u:secret@/", "amqp://u:secret@one,,two/",
		"amqp://u:secret@one:port/",
	} {
		_, err := NewBroker(Options{URL: url})
		if err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", url, err)
		}
	}
}

func TestHeartbeatIsAtLeastASecond(t *testing.T) {
	// The protocol counts in seconds, and 0 means none.
	if got := (Options{Heartbeat: time.Millisecond}).withDefaults().Heartbeat; got != time.Second {
		t.Errorf("heartbeat %v", got)
	}
}
