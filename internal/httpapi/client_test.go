package httpapi_test

import (
	"net/netip"
	"testing"

	"rideshare/internal/httpapi"
)

func TestClientAddress(t *testing.T) {
	for name, c := range map[string]struct {
		trust     bool
		forwarded string
		want      string
	}{
		"direct":                      {false, "", "10.0.0.1:99"},
		"a client's own claim":        {false, "1.2.3.4", "10.0.0.1:99"},
		"our gateway":                 {true, "1.2.3.4", "1.2.3.4"},
		"a claim through our gateway": {true, "6.6.6.6, 1.2.3.4", "1.2.3.4"},
		"gateway without the header":  {true, "", "10.0.0.1:99"},
		"a proxy before our gateway":  {true, "1.2.3.4, 172.16.0.9", "1.2.3.4"},
		"two of them":                 {true, "6.6.6.6, 1.2.3.4, 172.16.0.8,172.16.0.9", "1.2.3.4"},
		"a proxy that does not know":  {true, "172.16.0.9", "172.16.0.9"},
		"a proxy that says nonsense":  {true, "x, 172.16.0.9", "x"},
	} {
		trust := httpapi.Trust{Forwarded: c.trust, Proxies: []netip.Prefix{netip.MustParsePrefix("172.16.0.0/16")}}
		if got := trust.Address(httpapi.Client{Remote: "10.0.0.1:99", Forwarded: c.forwarded}); got != c.want {
			t.Errorf("%s: %s", name, got)
		}
	}
}

func TestPrintable(t *testing.T) {
	for text, want := range map[string]string{
		"alice@laptop":              "alice@laptop",
		" Ålice ":                   "Ålice",
		"a\x1b[2Jb\u202ec\n":        "a[2Jbc",
		"\xff\xfe":                  "",
		"0123456789 and more of it": "0123456789 a",
	} {
		if got := httpapi.Printable(text, 12); got != want {
			t.Errorf("%q is %q, want %q", text, got, want)
		}
	}
}
