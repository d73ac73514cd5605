package httpapi

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// Hosts are the hosts that a server answers to, beside those that are always its own: localhost, the
// loopback addresses, and the address on which the connection arrived.
//
// They protect a server that asks nobody for a token. A page of any site can give its own name the
// address of such a server (DNS rebinding). To the browser both are then one site, and the page may do
// what the server's own pages may. Only the Host header still tells them apart.
type Hosts struct {
	names   map[string]bool
	domains []string // with a dot before them: all names below
}

// letters are what host names are made of.
const letters = "abcdefghijklmnopqrstuvwxyz0123456789-_."

// ParseHosts reads host names and addresses, without scheme or port. One that begins with a dot stands
// for all names below that domain. Empty ones are skipped.
func ParseHosts(list ...string) (*Hosts, error) {
	h := &Hosts{names: map[string]bool{}}
	for _, item := range list {
		name := strings.ToLower(strings.TrimSpace(item))
		if name == "" {
			continue
		}
		name = strings.TrimSuffix(name, ".")
		switch {
		case strings.Trim(name, ".") == "", strings.Trim(name, letters) != "" && !isAddress(name):
			return nil, fmt.Errorf("%q is no host: write a name or an address without scheme and port, or .example.com for all names below that domain", item)
		case name[0] == '.':
			h.domains = append(h.domains, name)
		default:
			h.names[canonical(name)] = true
		}
	}
	return h, nil
}

// OwnHosts is ParseHosts of the list and of the address on which the server listens: host:port, where the
// host may be empty. The error names RIDESHARE_HOSTS.
func OwnHosts(addr string, list []string) (*Hosts, error) {
	h, err := ParseHosts(list...)
	if err != nil {
		return nil, fmt.Errorf("RIDESHARE_HOSTS: %w", err)
	}
	if host, _, err := net.SplitHostPort(addr); err == nil {
		h.names[canonical(strings.ToLower(host))] = true
	}
	for _, everywhere := range []string{"", "0.0.0.0", "::"} {
		delete(h.names, everywhere)
	}
	return h, nil
}

func isAddress(name string) bool {
	_, err := netip.ParseAddr(name)
	return err == nil
}

// canonical returns the one form of an address, and anything else as it is.
func canonical(name string) string {
	if addr, err := netip.ParseAddr(name); err == nil {
		return addr.Unmap().String()
	}
	return name
}

// only refuses requests that name another host. A nil Hosts refuses none.
func (h *Hosts) only() middleware {
	return func(next http.Handler) http.Handler {
		if h == nil {
			return next
		}
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			local, _ := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
			if h.own(r.Host, local) {
				next.ServeHTTP(w, r)
				return
			}
			Forbidden("without tokens (RIDESHARE_AUTH=off) this server answers only to localhost, its own address and "+
				"the hosts in RIDESHARE_HOSTS, not to %q", r.Host).Write(w)
		})
	}
}

// own reports whether a Host header names this server. Ports do not matter: a gateway has another one.
// Unusual forms of an address (127.1, 0x7f000001) count as names, because browsers do not send them.
func (h *Hosts) own(host string, local net.Addr) bool {
	name, ok := hostname(host)
	if !ok {
		return false
	}
	addr, err := netip.ParseAddr(name)
	if err != nil {
		return name == "localhost" || h.names[name] || h.below(name)
	}
	if addr.Zone() != "" {
		return false
	}
	addr = addr.Unmap()
	if addr.IsLoopback() || h.names[addr.String()] {
		return true
	}
	arrived, ok := local.(*net.TCPAddr)
	return ok && arrived.AddrPort().Addr().Unmap().WithZone("") == addr
}

func (h *Hosts) below(name string) bool {
	for _, domain := range h.domains {
		if strings.HasSuffix(name, domain) && len(name) > len(domain) {
			return true
		}
	}
	return false
}

// hostname returns the host of a Host header, in lower case, without port, brackets and the dot that
// may end a name; false where it has none.
func hostname(host string) (string, bool) {
	name, port := host, ""
	if rest, ok := strings.CutPrefix(host, "["); ok {
		if name, port, ok = strings.Cut(rest, "]"); !ok || !isAddress(name) {
			return "", false
		}
		if port != "" && port[0] != ':' {
			return "", false
		}
		port = strings.TrimPrefix(port, ":")
	} else if before, after, ok := strings.Cut(host, ":"); ok {
		name, port = before, after
	}
	if strings.Trim(port, "0123456789") != "" {
		return "", false
	}
	name = strings.TrimSuffix(strings.ToLower(name), ".")
	return name, name != ""
}
