//go:build linux

// Command cut drops what a network namespace sends to some peers, or gets from them, for a while. It runs in a
// container that shares the namespace of another one, so that only that one is cut off:
//
//	docker run --rm --network=container:ID --user=0 --cap-drop=ALL --cap-add=NET_ADMIN rideshare/cut:dev -peers 172.18.0.5,172.18.0.6 -out -for 3s
//
// It says "cut" when it has begun, and takes its rules back at the end, also when it is asked to end.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
)

func main() {
	peers := flag.String("peers", "", "the peers' IPv4 addresses, with commas between")
	in := flag.Bool("in", false, "drop what comes from them")
	out := flag.Bool("out", false, "drop what goes to them")
	lasts := flag.Duration("for", time.Second, "how long")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := cut(ctx, strings.Split(*peers, ","), *in, *out, *lasts); err != nil {
		fmt.Fprintln(os.Stderr, "cut:", err)
		os.Exit(1) //nolint:gocritic // nothing is left for stop to do
	}
}

func cut(ctx context.Context, peers []string, in, out bool, lasts time.Duration) error {
	addresses := make([]net.IP, len(peers))
	for i, p := range peers {
		if addresses[i] = net.ParseIP(p).To4(); addresses[i] == nil {
			return fmt.Errorf("%q is not an IPv4 address: -peers needs them, with commas between", p)
		}
	}
	if !in && !out {
		return errors.New("-in or -out, or both, are needed")
	}
	c, err := nftables.New()
	if err != nil {
		return err
	}
	// A name of its own: a second cut of the same container takes back only what is its own.
	table := c.AddTable(&nftables.Table{Name: fmt.Sprintf("cut%d", time.Now().UnixNano()), Family: nftables.TableFamilyIPv4})
	// In IPv4's header the source is at byte 12, the destination at 16.
	if in {
		drop(c, table, "in", nftables.ChainHookInput, 12, addresses)
	}
	if out {
		drop(c, table, "out", nftables.ChainHookOutput, 16, addresses)
	}
	if err := c.Flush(); err != nil { // all or nothing
		return err
	}
	fmt.Println("cut")
	select {
	case <-time.After(lasts):
	case <-ctx.Done():
	}
	c.DelTable(table)
	return c.Flush()
}

// drop drops the packets that pass the hook and have one of the addresses at the offset of their header.
func drop(c *nftables.Conn, table *nftables.Table, name string, hook *nftables.ChainHook, offset uint32, addresses []net.IP) {
	chain := c.AddChain(&nftables.Chain{
		Name: name, Table: table, Type: nftables.ChainTypeFilter, Hooknum: hook, Priority: nftables.ChainPriorityFilter,
	})
	for _, address := range addresses {
		c.AddRule(&nftables.Rule{Table: table, Chain: chain, Exprs: []expr.Any{
			&expr.Payload{DestRegister: 1, Base: expr.PayloadBaseNetworkHeader, Offset: offset, Len: net.IPv4len},
			&expr.Cmp{Register: 1, Op: expr.CmpOpEq, Data: address},
			&expr.Verdict{Kind: expr.VerdictDrop},
		}})
	}
}
