package containers

import (
	"fmt"
	"os/exec"
	"strings"
	"testing"
	"time"

	"rideshare/e2e/stack"
)

// upgrade gives every program of ours a new image and runs `make up` again, under load: compose
// replaces the functions and the watcher, and the watcher one worker after the other.
func (s *site) upgrade(t *testing.T) {
	t.Helper()
	for _, program := range []string{"users", "rides", "orchestrator", "worker", "watcher"} {
		name := fmt.Sprintf("%s/%s:next", s.Project, program)
		build := exec.Command("docker", "build", "-q", "-t", name, "-")
		build.Stdin = strings.NewReader(fmt.Sprintf("FROM rideshare/%s:dev\nLABEL rideshare.test=%s\n", program, s.Project))
		if out, err := build.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		s.Env = append(s.Env, "RIDESHARE_"+strings.ToUpper(program)+"_IMAGE="+name)
	}
	worker := s.must("docker", "inspect", "-f", "{{.Id}}", s.Project+"/worker:next")
	s.UnderLoad(writers, readers, func() {
		after(time.Second)
		begun := time.Now()
		if err := s.Make("up"); err != nil {
			t.Error(err)
		}
		served := time.Since(begun)
		s.Until("every worker runs the new image", func() bool {
			out, err := stack.Docker("ps", "-q", "--filter", "label=rideshare.project="+s.Project, "--filter", "label=rideshare.part=worker")
			if err != nil {
				t.Error(err)
			}
			ids := strings.Fields(out)
			for _, id := range ids {
				image, err := stack.Docker("inspect", "-f", "{{.Image}}", id)
				if err != nil || image != worker {
					return false // it may just have been replaced
				}
			}
			return len(ids) == 3 && s.Whole()
		})
		t.Logf("make up took %v, all of it %v", served, time.Since(begun))
		after(time.Second)
	})
	s.NoneFailed()
	s.Verdict()
}
