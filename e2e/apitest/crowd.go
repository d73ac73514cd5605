package apitest

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"rideshare/internal/stopwatch"
)

const (
	idle = 2000 // connections that have had one answer, and stay open
	slow = 200  // connections of each kind that never finish their request
	// slowest is how long a slow request may hold its connection: longer than the limits for a header
	// (5 s) and for a body (30 s).
	slowest = 45 * time.Second
)

// Crowd opens connections that do nothing and such that never finish what they send, as Slowloris
// does. Others must be served meanwhile, and the slow ones sent away. It is for a server or
// gateway of ours: behind another one, as on AWS, these connections are not the system's.
func Crowd(t *testing.T, target Target) {
	address := strings.TrimPrefix(target.URL, "http://")
	var opened []net.Conn
	open := func(text string) net.Conn {
		t.Helper()
		conn, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatalf("connection %d: %v", len(opened)+1, err)
		}
		opened = append(opened, conn)
		if _, err := conn.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
		return conn
	}
	var slows errgroup.Group
	defer func() {
		for _, conn := range opened {
			_ = conn.Close() // the server may have done so before
		}
		_ = slows.Wait() // who has waited already has what it says
	}()
	const head = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n"
	for range idle {
		conn := open(head + "\r\n")
		answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil || answer.StatusCode != http.StatusOK {
			t.Fatalf("connection %d: %+v, %v", len(opened), answer, err)
		}
	}
	for range slow {
		for _, begin := range []string{
			head + "X-Slow: ",
			"POST /api/v1/sessions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{",
		} {
			conn := open(begin)
			slows.Go(func() error { return trickle(conn) })
		}
	}
	client := &http.Client{Timeout: requestTimeout, Transport: &http.Transport{DisableKeepAlives: true}}
	for range 20 {
		watch := stopwatch.Start()
		answer, err := client.Get(target.URL + "/api/v1/rides/count")
		took := watch.Took()
		if err != nil {
			t.Fatalf("beside %d others: %v", len(opened), err)
		}
		_ = answer.Body.Close()
		if answer.StatusCode != http.StatusOK || took > 5*time.Second {
			t.Errorf("beside %d others: %s after %v", len(opened), answer.Status, took)
		}
	}
	if err := slows.Wait(); err != nil {
		t.Error(err)
	}
}

// trickle sends a byte every second, until the server has had enough of it.
func trickle(conn net.Conn) error {
	ended := make(chan error, 1)
	go func() {
		_ = conn.SetReadDeadline(time.Now().Add(slowest))
		_, err := io.Copy(io.Discard, conn) // an answer may come first, such as a 408
		ended <- err
	}()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case err := <-ended:
			if errors.Is(err, os.ErrDeadlineExceeded) {
				return fmt.Errorf("a slow client is still connected after %s", slowest)
			}
			return nil
		case <-tick.C:
			_, _ = conn.Write([]byte("a")) // fails where the server has just ended it
		}
	}
}
