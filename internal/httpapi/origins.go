package httpapi

import (
	"fmt"
	"net/url"
	"regexp"
	"strconv"
	"strings"
)

// originForm says which origins there are, for those who gave something else.
const originForm = "each origin is a scheme, http or https, a host, and a port unless it is the scheme's own, " +
	"for example https://app.example or http://localhost:3000"

// hostName is a name as browsers send it: in lower case, and in ASCII.
var hostName = regexp.MustCompile(`^[a-z0-9]([a-z0-9._-]*[a-z0-9])?$|^\[[0-9a-f:.]+\]$`)

// ParseOrigins reads a list of origins with commas between, each as browsers send it in Origin. An
// empty list has none. There is no wildcard: see docs/decisions/0022.
func ParseOrigins(list string) ([]string, error) {
	if strings.TrimSpace(list) == "" {
		return nil, nil
	}
	var origins []string
	for origin := range strings.SplitSeq(list, ",") {
		origin = strings.TrimSpace(origin)
		if err := checkOrigin(origin); err != nil {
			return nil, err
		}
		origins = append(origins, origin)
	}
	return origins, nil
}

// checkOrigin compares with what browsers send, character by character: an origin that is written in
// another way would never match, and its owner would look for the reason elsewhere.
func checkOrigin(origin string) error {
	u, err := url.Parse(origin)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" {
		return fmt.Errorf("%q is no origin: %s", origin, originForm)
	}
	host, port := splitPort(u.Host)
	if !hostName.MatchString(host) {
		return fmt.Errorf("%q is no origin, its host is %q: %s", origin, host, originForm)
	}
	if number := strings.TrimPrefix(port, ":"); port != "" {
		n, err := strconv.ParseUint(number, 10, 16)
		if err != nil || n == 0 || number != strconv.FormatUint(n, 10) || u.Scheme == "http" && n == 80 || u.Scheme == "https" && n == 443 {
			return fmt.Errorf("%q is no origin as browsers send it, its port is %q: %s", origin, number, originForm)
		}
	}
	if sent := u.Scheme + "://" + u.Host; sent != origin {
		return fmt.Errorf("%q is no origin as browsers send it, that would be %q: %s", origin, sent, originForm)
	}
	return nil
}

// splitPort cuts the port off a host, with its colon.
func splitPort(host string) (name, port string) {
	i := strings.LastIndexByte(host, ':')
	if i < 0 || strings.HasSuffix(host, "]") {
		return host, ""
	}
	return host[:i], host[i:]
}
