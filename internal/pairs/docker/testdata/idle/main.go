// Command idle runs until it is killed or told to stop, in the place of a worker or a database. After the
// argument "fail" it prints the next one on stderr, and fails.
package main

import (
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	if len(os.Args) == 3 && os.Args[1] == "fail" {
		fmt.Fprintln(os.Stderr, os.Args[2])
		os.Exit(3)
	}
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM)
	<-stop
}
