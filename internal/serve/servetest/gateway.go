// Package servetest stands where API Gateway and function URLs stand: it makes events of requests,
// and answers of what a function returns.
package servetest

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"
)

// Domain is the domain of the function URL that requests seem to come to.
const Domain = "abcdefghijklmnopqrstuvwxyz012345.lambda-url.eu-central-1.on.aws"

// Event is a request in payload format 2.0, as AWS documents it:
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
type Event struct {
	Version               string            `json:"version"`
	RouteKey              string            `json:"routeKey"`
	RawPath               string            `json:"rawPath"`
	RawQueryString        string            `json:"rawQueryString"`
	Cookies               []string          `json:"cookies,omitempty"`
	Headers               map[string]string `json:"headers"`
	QueryStringParameters map[string]string `json:"queryStringParameters,omitempty"`
	RequestContext        RequestContext    `json:"requestContext"`
	Body                  string            `json:"body,omitempty"`
	IsBase64Encoded       bool              `json:"isBase64Encoded"`
}

// RequestContext is what the gateway adds.
type RequestContext struct {
	AccountID    string      `json:"accountId"`
	APIID        string      `json:"apiId"`
	DomainName   string      `json:"domainName"`
	DomainPrefix string      `json:"domainPrefix"`
	HTTP         HTTPContext `json:"http"`
	RequestID    string      `json:"requestId"`
	RouteKey     string      `json:"routeKey"`
	Stage        string      `json:"stage"`
	Time         string      `json:"time"`
	TimeEpoch    int64       `json:"timeEpoch"`
}

// HTTPContext is the request line, and who sent it.
type HTTPContext struct {
	Method    string `json:"method"`
	Path      string `json:"path"`
	Protocol  string `json:"protocol"`
	SourceIP  string `json:"sourceIp"`
	UserAgent string `json:"userAgent"`
}

// Answer is what a function returns.
type Answer struct {
	StatusCode      int               `json:"statusCode"`
	Headers         map[string]string `json:"headers"`
	Cookies         []string          `json:"cookies"`
	Body            string            `json:"body"`
	IsBase64Encoded bool              `json:"isBase64Encoded"`
}

// NewEvent returns the event of a request, whose body it reads. The path is as it was sent, which
// is what function URLs do.
func NewEvent(r *http.Request) (Event, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return Event{}, fmt.Errorf("the body of the request: %w", err)
	}
	ip, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return Event{}, fmt.Errorf("the address of the client: %w", err)
	}
	now := time.Now().UTC()
	e := Event{
		Version: "2.0", RouteKey: "$default", RawPath: r.URL.EscapedPath(), RawQueryString: r.URL.RawQuery,
		Headers: map[string]string{"host": r.Host},
		RequestContext: RequestContext{
			AccountID: "anonymous", APIID: "abcdefghijklmnopqrstuvwxyz012345", DomainName: Domain, DomainPrefix: "abcdefghijklmnopqrstuvwxyz012345",
			RequestID: "8c1a0ac6-0f7c-4a31-8a4c-0c2a0c9b1a3e", RouteKey: "$default", Stage: "$default",
			HTTP: HTTPContext{Method: r.Method, Path: r.URL.EscapedPath(), Protocol: r.Proto, SourceIP: ip, UserAgent: r.UserAgent()},
			Time: now.Format("02/Jan/2006:15:04:05 -0700"), TimeEpoch: now.UnixMilli(),
		},
	}
	for name, values := range r.Header {
		if name == "Cookie" {
			e.Cookies = strings.Split(strings.Join(values, "; "), "; ")
			continue
		}
		e.Headers[strings.ToLower(name)] = strings.Join(values, ",")
	}
	for name, values := range r.URL.Query() {
		if e.QueryStringParameters == nil {
			e.QueryStringParameters = map[string]string{}
		}
		e.QueryStringParameters[name] = strings.Join(values, ",")
	}
	if isText(r.Header.Get("Content-Type")) && utf8.Valid(body) {
		e.Body = string(body)
	} else {
		e.Body, e.IsBase64Encoded = base64.StdEncoding.EncodeToString(body), true
	}
	return e, nil
}

// isText reports whether a body of that type is handed over as it is.
func isText(contentType string) bool {
	t, _, err := mime.ParseMediaType(contentType)
	return err == nil && (strings.HasPrefix(t, "text/") || t == "application/json")
}

// Invoke invokes a function with an event. An error is one of the function, or of the platform.
type Invoke func(ctx context.Context, event []byte) ([]byte, error)

// Gateway answers requests by means of a function.
func Gateway(invoke Invoke) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer, err := pass(r, invoke)
		if err != nil {
			w.Header().Set("Apigw-Error", err.Error())
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusInternalServerError)
			_, _ = io.WriteString(w, `{"message":"Internal Server Error"}`)
			return
		}
		answer.write(w)
	})
}

func pass(r *http.Request, invoke Invoke) (Answer, error) {
	var answer Answer
	event, err := NewEvent(r)
	if err != nil {
		return answer, err
	}
	payload, err := json.Marshal(event)
	if err != nil {
		return answer, err
	}
	out, err := invoke(r.Context(), payload)
	if err != nil {
		return answer, err
	}
	if err := json.Unmarshal(out, &answer); err != nil {
		return answer, fmt.Errorf("the answer of the function: %w", err)
	}
	if answer.IsBase64Encoded {
		body, err := base64.StdEncoding.DecodeString(answer.Body)
		if err != nil {
			return answer, fmt.Errorf("the body of the answer: %w", err)
		}
		answer.Body = string(body)
	}
	return answer, nil
}

func (a Answer) write(w http.ResponseWriter) {
	for name, value := range a.Headers {
		w.Header().Set(name, value)
	}
	for _, cookie := range a.Cookies {
		w.Header().Add("Set-Cookie", cookie)
	}
	w.WriteHeader(a.StatusCode)
	_, _ = io.WriteString(w, a.Body) // an error means that the client is gone
}
