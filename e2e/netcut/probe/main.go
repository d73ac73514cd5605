// Command probe prints those of the addresses (IP:port) in its arguments that take TCP connections. It runs in a
// container that shares the network namespace of another one:
//
//	docker run --rm --network=container:ID --cap-drop=ALL rideshare/probe:dev 172.18.0.5:5672 172.18.0.6:2181
package main

import (
	"fmt"
	"net"
	"os"
	"sync"
	"time"
)

// patience is how long an address may take to accept. Nothing refuses what an engine keeps apart.
const patience = time.Second

func main() {
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
