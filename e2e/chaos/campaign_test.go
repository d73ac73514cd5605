package chaos

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"rideshare/e2e/compose"
	"rideshare/e2e/report"
)

var (
	minutes = flag.Float64("minutes", 0, "how long TestCampaign breaks things; 0: it is skipped")
	faults  = flag.Int("faults", 0, "after how many faults it ends, where that is earlier; 0: it has its time")
	seed    = flag.Uint64("seed", 0, "of the plan; 0: a new one, which is printed")
	into    = flag.String("into", "", "the page of the documentation that the figures are written into")
	ha      = flag.Bool("ha", false, "three nodes of RabbitMQ and ZooKeeper each, which are cut off from each other, too")
	folder  = flag.String("folder", "", "where the verdict's page is written; default: a new folder")
)

// longestPlan is more steps than a day has room for.
const longestPlan = 50_000

func TestCampaign(t *testing.T) {
	if *minutes == 0 {
		t.Skip("a campaign is begun by `make chaos`: see -minutes")
	}
	if *seed == 0 {
		var random [4]byte // short enough to be typed
		_, _ = rand.Read(random[:])
		*seed = uint64(binary.BigEndian.Uint32(random[:]))
	}
	t.Logf("seed %d: again with `make chaos SEED=%d HA=%t`", *seed, *seed, *ha)
	ctx, stop := signal.NotifyContext(t.Context(), os.Interrupt, syscall.SIGTERM)
	defer stop()

	programs := t.TempDir()
	if err := buildPrograms(programs); err != nil {
		t.Fatal(err)
	}
	if *folder == "" {
		var err error
		if *folder, err = os.MkdirTemp("", "rideshare-chaos-"); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.MkdirAll(*folder, 0o755); err != nil {
		t.Fatal(err)
	}
	site := compose.Start(t, "PROGRAMS="+programs, "RIDESHARE_WORKER_IMAGE="+workerImage, fmt.Sprint("RIDESHARE_HA=", *ha))
	t.Cleanup(func() { // before the site ends: what holds on to its parts
		if err := removeOwn(site.Project); err != nil {
			t.Error(err)
		}
	})
	site.Target.HTTP.Timeout = 20 * time.Second // a part that is frozen is asked again
	recorder := newRecorder()
	c := &campaign{
		injector: &injector{Site: site}, clients: newClients(site.Target, recorder),
		recorder: recorder, folder: *folder, most: *faults,
	}
	err := c.run(ctx, Plan(*seed, longestPlan, *ha), time.Duration(*minutes*float64(time.Minute)))
	if ctx.Err() != nil {
		t.Fatalf("it was interrupted: nothing is said about what was done (%v)", context.Cause(ctx))
	}
	if err != nil {
		t.Fatal(err)
	}
	publish(t, c)
}

// publish tells the verdict.
func publish(t *testing.T, c *campaign) {
	result := &Result{Seed: *seed, Lasted: c.recorder.now(), Violations: c.violations}
	c.recorder.look(func(phases []Phase, attempts []Attempt, operations []Operation, h History) {
		result.Phases, result.Attempts, result.Operations, result.History = phases, attempts, operations, h
	})
	tables := result.Tables()
	for _, table := range tables {
		t.Logf("\n%s", table.Markdown())
	}
	for _, v := range result.Violations {
		t.Errorf("seed %d: %s: %s", *seed, v.Kind, v.What)
		for _, line := range v.History {
			t.Logf("    %s", line)
		}
		if v.Page != "" {
			t.Logf("    drawn in %s", v.Page)
		}
	}
	failures := result.Failures()
	for _, f := range failures[:min(len(failures), 10)] {
		t.Errorf("seed %d: a request failed, %s", *seed, f)
	}
	page, err := result.WritePage(*folder)
	if err != nil {
		t.Error(err)
	}
	t.Logf("the verdict: %s", filepath.Clean(page))
	if *into != "" {
		command := fmt.Sprintf("make chaos MINUTES=%v SEED=%d", *minutes, *seed)
		if *faults > 0 {
			command += fmt.Sprintf(" FAULTS=%d", *faults)
		}
		section := "chaos"
		if *ha {
			section, command = "chaos-ha", command+" HA=true"
		}
		if err := report.Update(*into, section, command, tables...); err != nil {
			t.Error(err)
		}
	}
}
