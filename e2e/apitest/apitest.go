// Package apitest is the acceptance test of RideShare's HTTP contract: what docs/API.md says, tried
// over HTTP against a running system, be it one process, containers, or Lambda functions.
//
// It changes what it tests: it empties the database, and kills workers. Give it a test system.
package apitest

import (
	"net/http"
	"testing"
	"time"

	"rideshare/internal/openapitest"
)

// Target is a running system.
type Target struct {
	URL          string       // of the gateway, without a slash at the end
	ServiceToken string       // the operator's; needed where Auth is set
	Auth         bool         // whether it was started with RIDESHARE_AUTH=on
	Client       *http.Client // default: one of its own
}

// requestTimeout is how long an answer may take: longer than the system's own limit of 10 s, so
// that its answer is seen.
const requestTimeout = 20 * time.Second

// topics are the parts of the suite. The ones that kill workers come late, and the one that has
// sign-in refused comes last.
var topics = []struct {
	name string
	run  func(*suite)
}{
	{"health", testHealth},
	{"methods and paths", testMethods},
	{"bodies", testBodies},
	{"sizes", testSizes},
	{"encoded bodies", testEncoded},
	{"queries", testQueries},
	{"other sites", testSites},
	{"users", testUsers},
	{"usernames", testUsernames},
	{"passwords", testPasswords},
	{"sessions", testSessions},
	{"rides", testRides},
	{"ride ids", testRideIDs},
	{"timestamps", testTimestamps},
	{"areas", testAreas},
	{"upcoming", testUpcoming},
	{"joining", testJoining},
	{"cascade", testCascade},
	{"concurrency", testConcurrency},
	{"idempotency", testIdempotency},
	{"consistency", testConsistency},
	{"db clear", testClear},
	{"db write", testWrite},
	{"db read", testRead},
	{"db refusals", testRefusals},
	{"auth", testAuth},
	{"forged tokens", testForgedTokens},
	{"ended tokens", testEndedTokens},
	{"hosts", testHosts},
	{"reads", testReads},
	{"cluster", testCluster},
	{"slaves", testSlaves},
	{"switchover", testSwitchover},
	{"crash", testCrash},
	{"sign-in limit", testSignInLimit},
}

// Run runs the suite against the target, which has to be ready.
func Run(t *testing.T, target Target) {
	client := http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
	if target.Client != nil {
		client = *target.Client
	}
	client.Timeout = requestTimeout
	// A redirect is an answer like any other, and one that the contract does not have.
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	defer client.CloseIdleConnections()
	s := &suite{t: t, target: target, client: &client, session: newSession()}
	document, err := openapitest.Parse(s.must(get("/openapi.json"), http.StatusOK).body)
	if err != nil {
		t.Fatal(err)
	}
	s.document = document
	for _, topic := range topics {
		s.run(topic.name, topic.run)
	}
}
