package watcher

import "time"

// Metrics is told what a watcher does, as it does it. Its methods are called concurrently and must
// not wait.
type Metrics interface {
	// Leading: whether this watcher leads. It is told at every look around.
	Leading(leads bool)
	// Desired: how many slaves there should be. Only the leading watcher tells.
	Desired(slaves int)
	// Acted: the action of that Verb was done, or failed.
	Acted(do string, err error)
	// Recovered: there is a new master (the kind failover), or there are as many serving replicas
	// again as there should be (replacement), so long after a death was noticed.
	Recovered(kind string, took time.Duration)
}

// unmeasured is the Metrics of a watcher that has none.
type unmeasured struct{}

func (unmeasured) Leading(bool)                    {}
func (unmeasured) Desired(int)                     {}
func (unmeasured) Acted(string, error)             {}
func (unmeasured) Recovered(string, time.Duration) {}
