package config

import (
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"rideshare/internal/secret"
)

// Form allows what has the form of that name: url, docker, address, server, zone, token, secret or account.
// It panics for a name that is none of these.
func Form(name string) Rule {
	rules := map[string]Rule{
		"url":     {"a URL such as http://host:8080, with http or https and a host, and without a query", isURL},
		"docker":  {"a URL such as unix:///var/run/docker.sock or tcp://host:2375", isDocker},
		"address": {"host:port or :port, with a port from 0 to 65535", isAddress},
		"server":  {"host:port, with a port from 1 to 65535; several with commas between", isServer},
		"zone":    {"a name of the IANA time zone database, such as UTC or Europe/Berlin", isZone},
		"token":   {"one line without control characters, and without blanks at its ends", isToken},
		"secret":  {"one to eight lines, each without control characters and without blanks at its ends", func(value string) bool { return secret.Check(value) == nil }},
		"account": {"user:password", isAccount},
	}
	rule, ok := rules[name]
	if !ok {
		panic("config: no form " + name)
	}
	return rule
}

func isURL(value string) bool {
	u, err := url.Parse(value)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" {
		return false
	}
	return u.Hostname() != "" && (u.Port() == "" || isPort(u.Port(), 1)) && u.RawQuery == "" && !u.ForceQuery && u.Fragment == ""
}

func isDocker(value string) bool {
	scheme, rest, ok := strings.Cut(value, "://")
	return ok && rest != "" && slices.Contains([]string{"unix", "tcp", "http", "https", "npipe", "fd"}, scheme)
}

func isPort(value string, least uint64) bool {
	n, err := strconv.ParseUint(value, 10, 16)
	return err == nil && n >= least
}

func isAddress(value string) bool {
	_, port, err := net.SplitHostPort(value)
	return err == nil && isPort(port, 0)
}

func isServer(value string) bool {
	host, port, err := net.SplitHostPort(value)
	return err == nil && host != "" && isPort(port, 1)
}

func isZone(value string) bool {
	_, err := time.LoadLocation(value)
	return err == nil
}

func isToken(value string) bool {
	return strings.TrimSpace(value) == value && !strings.ContainsFunc(value, unicode.IsControl)
}

func isAccount(value string) bool {
	user, password, _ := strings.Cut(value, ":")
	return user != "" && password != "" && isToken(value)
}
