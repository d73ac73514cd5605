// Command probe prints those of the addresses (IP:port) in its arguments that take TCP connections; without
// arguments, the ports on which something listens for others. It runs in a container that shares the network
// namespace of another one:
//
//	docker run --rm --network=container:ID --cap-drop=ALL rideshare/probe:dev 172.18.0.5:5672 172.18.0.6:2181
package main

import (
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

// patience is how long an address may take to accept. Nothing refuses what an engine keeps apart.
const patience = time.Second

func main() {
	if len(os.Args) == 1 {
		if err := listening(); err != nil {
			fmt.Fprintln(os.Stderr, "probe:", err)
			os.Exit(1)
		}
		return
	}
	addresses := os.Args[1:]
	open := make([]bool, len(addresses))
	var dials sync.WaitGroup
	for i, address := range addresses {
		dials.Go(func() {
			conn, err := net.DialTimeout("tcp", address, patience)
			if open[i] = err == nil; open[i] {
				_ = conn.Close()
			}
		})
	}
	dials.Wait()
	for i, address := range addresses {
		if open[i] {
			fmt.Println(address)
		}
	}
}

// listening prints the ports of the namespace's listening sockets, from the kernel's tables (man 5 proc_net).
func listening() error {
	const state, listens, loopback = 3, "0A", "7F" // the last byte of 127.x.y.z, which comes last in hexadecimal
	for _, table := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		text, err := os.ReadFile(table)
		if err != nil {
			return err
		}
		for line := range strings.Lines(string(text)) {
			fields := strings.Fields(line)
			if len(fields) <= state || fields[state] != listens {
				continue
			}
			address, hex, _ := strings.Cut(fields[1], ":")
			port, err := strconv.ParseUint(hex, 16, 16)
			if err != nil {
				return err
			}
			if !strings.HasSuffix(address, loopback) {
				fmt.Println(port)
			}
		}
	}
	return nil
}
