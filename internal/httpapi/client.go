package httpapi

import (
	"context"
	"net/netip"
	"slices"
	"strings"
	"unicode"

	"github.com/danielgtaylor/huma/v2"
)

// OperatorHeader is the header in which an operator's program says who runs it. Nobody checks that.
const OperatorHeader = "X-Operator"

// maxOperator is how much of OperatorHeader counts, in characters.
const maxOperator = 100

// Client is where a request comes from, as far as the connection and the headers tell.
type Client struct {
	Remote    string // address and port of the other end of the connection
	Forwarded string // X-Forwarded-For
	Operator  string // OperatorHeader, without what cannot be printed
}

type clientKey struct{}

// ClientOf returns where the request of an operation comes from.
func ClientOf(ctx context.Context) Client {
	c, _ := ctx.Value(clientKey{}).(Client)
	return c
}

// withClient returns the context of an operation, which does not see the connection.
func withClient(hc huma.Context) huma.Context {
	return huma.WithValue(hc, clientKey{}, Client{
		Remote: hc.RemoteAddr(), Forwarded: hc.Header("X-Forwarded-For"), Operator: Printable(hc.Header(OperatorHeader), maxOperator),
	})
}

// Printable returns at most that many characters of a text, without those that change how others are shown.
func Printable(text string, most int) string {
	var b strings.Builder
	for _, r := range text {
		if unicode.IsPrint(r) && r != unicode.ReplacementChar {
			if b.WriteRune(r); most == 1 {
				break
			}
			most--
		}
	}
	return strings.TrimSpace(b.String())
}

// Trust says whose word about a client's address is taken.
type Trust struct {
	// Forwarded says that a gateway of ours stands before the function: the address of a client is the last one
	// in X-Forwarded-For.
	Forwarded bool
	// Proxies are the addresses of proxies before that gateway, whose word is taken, too.
	Proxies []netip.Prefix
}

// Address returns the address of the client: of the connection, or what the outermost of the trusted proxies says.
func (t Trust) Address(c Client) string {
	if !t.Forwarded {
		return c.Remote
	}
	address := c.Remote
	for hops := strings.Split(c.Forwarded, ","); len(hops) > 0; hops = hops[:len(hops)-1] {
		last := strings.TrimSpace(hops[len(hops)-1])
		if last == "" {
			break
		}
		address = last
		if ip, err := netip.ParseAddr(last); err != nil || !t.trusts(ip.Unmap()) {
			break
		}
	}
	return address
}

func (t Trust) trusts(ip netip.Addr) bool {
	return slices.ContainsFunc(t.Proxies, func(p netip.Prefix) bool { return p.Contains(ip) })
}
