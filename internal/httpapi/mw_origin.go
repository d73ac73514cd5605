package httpapi

import "net/http"

// sameOrigin refuses what a page of another site makes a browser send. Without it any page could
// change the data of a server that runs with RIDESHARE_AUTH=off on its reader's computer: the body
// may be of any Content-Type, so that no preflight request stands before it. Clients that are not
// browsers do not send what it looks at.
func sameOrigin() middleware {
	protection := http.NewCrossOriginProtection()
	protection.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		Forbidden("the request comes from a page of another site").Write(w)
	}))
	return protection.Handler
}
