//go:build linux

// Command cut drops what a network namespace sends to a peer, or gets from it, for a while. It runs in a
// container that shares the namespace of another one, so that only that one is cut off:
//
//	docker run --rm --network=container:ID --user=0 --cap-drop=ALL --cap-add=NET_ADMIN rideshare/cut:dev -peer 172.18.0.5 -out -for 3s
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
	"syscall"
	"time"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
)

func main() {
	peer := flag.String("peer", "", "the peer's IPv4 address")
	in := flag.Bool("in", false, "drop what comes from it")
	out := flag.Bool("out", false, "drop what goes to it")
	lasts := flag.Duration("for", time.Second, "how long")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := cut(ctx, net.ParseIP(*peer).To4(), *in, *out, *lasts); err != nil {
		fmt.Fprintln(os.Stderr, "cut:", err)
		os.Exit(1) //nolint:gocritic // nothing is left for stop to do
	}
}

func cut(ctx context.Context, peer net.IP, in, out bool, lasts time.Duration) error {
	if peer == nil || !in && !out {
		return errors.New("a peer's IPv4 address, and -in or -out, are needed")
	}
	c, err := nftables.New()
	if err != nil {
		return err
	}
	// A name of its own: a second cut of the same container takes back only what is its own.
	table := c.AddTable(&nftables.Table{Name: fmt.Sprintf("cut%d", time.Now().UnixNano()), Family: nftables.TableFamilyIPv4})
	// In IPv4's header the source is at byte 12, the destination at 16.
	if in {
		drop(c, table, "in", nftables.ChainHookInput, 12, peer)
	}
	if out {
		drop(c, table, "out", nftables.ChainHookOutput, 16, peer)
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

// drop drops the packets that pass the hook and have that address at the offset of their header.
func drop(c *nftables.Conn, table *nftables.Table, name string, hook *nftables.ChainHook, offset uint32, peer net.IP) {
	chain := c.AddChain(&nftables.Chain{
		Name: name, Table: table, Type: nftables.ChainTypeFilter, Hooknum: hook, Priority: nftables.ChainPriorityFilter,
	})
	c.AddRule(&nftables.Rule{Table: table, Chain: chain, Exprs: []expr.Any{
		&expr.Payload{DestRegister: 1, Base: expr.PayloadBaseNetworkHeader, Offset: offset, Len: net.IPv4len},
		&expr.Cmp{Register: 1, Op: expr.CmpOpEq, Data: peer},
		&expr.Verdict{Kind: expr.VerdictDrop},
	}})
}
