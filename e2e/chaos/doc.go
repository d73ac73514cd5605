// Package chaos is a campaign against the system in containers: it breaks parts of it, one or two at
// a time, as a plan from a seed says, while clients write and read with known keys and retry as
// documented. At pauses and at the end it compares what the clients were told with what is there.
//
//	go test -v -run TestCampaign ./e2e/chaos -minutes 10 -seed 1
package chaos
