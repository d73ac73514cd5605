package docker

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"syscall"
	"unicode/utf8"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/events"
	"github.com/docker/docker/pkg/stdcopy"
)

const (
	lastLines = "50"     // of a log, in which the cause of a death is looked for
	mostLog   = 64 << 10 // bytes of it
	mostCause = 300      // bytes of a line that is quoted
)

// atFirstSight says why a container has died as far as the event tells. For more the engine would have to
// be asked, which holds on to a container that has just died for some 0.5 s: everybody waits for the
// election that follows. List says more.
func atFirstSight(m events.Message) string {
	code, err := strconv.Atoi(m.Actor.Attributes["exitCode"])
	if err != nil {
		return "exit code unknown"
	}
	return fault(&container.State{Status: container.StateExited, ExitCode: code})
}

// cause says why a container does not run; empty where it never did. To the exit code of a process that
// has ended by itself it adds the last line in which that complains.
func (p *Pairs) cause(ctx context.Context, id string, s *container.State) string {
	why := fault(s)
	if s.OOMKilled || s.Error != "" || s.ExitCode == 0 || s.ExitCode == killed {
		return why
	}
	if line := lastComplaint(p.log(ctx, id)); line != "" {
		why += ": " + line
	}
	return why
}

// Exit codes of processes that did not end by themselves.
const (
	killed     = 128 + int(syscall.SIGKILL)
	terminated = 128 + int(syscall.SIGTERM)
	unknown    = 255 // the engine ended first
)

func fault(s *container.State) string {
	switch {
	case s.Status == container.StateCreated && s.Error == "":
		return ""
	case s.OOMKilled:
		return "out of memory"
	case s.Error != "":
		return s.Error
	case s.ExitCode == killed:
		return "killed"
	case s.ExitCode > 128:
		return fmt.Sprintf("ended by signal %d (%s)", s.ExitCode-128, syscall.Signal(s.ExitCode-128))
	default:
		return fmt.Sprintf("exited with %d", s.ExitCode)
	}
}

// log returns the last lines of a container's log; nothing where the engine does not give them.
func (p *Pairs) log(ctx context.Context, id string) string {
	r, err := p.api.ContainerLogs(ctx, id, container.LogsOptions{ShowStdout: true, ShowStderr: true, Tail: lastLines})
	if err != nil {
		return ""
	}
	defer r.Close() //nolint:errcheck // it was only read
	out := &tail{}
	_, _ = stdcopy.StdCopy(out, out, r) // what came before an error is better than nothing
	return out.String()
}

// tail keeps the last bytes that are written to it.
type tail struct{ bytes.Buffer }

// Write implements io.Writer.
func (t *tail) Write(p []byte) (int, error) {
	n, err := t.Buffer.Write(p)
	if surplus := t.Len() - mostLog; surplus > 0 {
		t.Next(surplus)
	}
	return n, err
}

// lastComplaint returns what a program said last of an error: a line of our programs of that level, one
// that MySQL marks so, or the reason of a crash; else its last line.
func lastComplaint(log string) string {
	var found, last string
	for line := range strings.Lines(log) {
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		last = line
		if complaint := complaintOf(line); complaint != "" {
			found = complaint
		}
	}
	return clip(cmp.Or(found, last))
}

// complaintOf returns what a line says of an error; empty where it is about something else.
func complaintOf(line string) string {
	var ours struct{ Level, Msg, Why string }
	if json.Unmarshal([]byte(line), &ours) == nil {
		switch {
		case ours.Level != "ERROR":
			return ""
		case ours.Why == "":
			return ours.Msg
		default:
			return ours.Msg + ": " + ours.Why
		}
	}
	if _, text, ok := strings.Cut(line, "[ERROR] "); ok {
		return text
	}
	for _, crash := range []string{"panic: ", "fatal error: "} {
		if strings.HasPrefix(line, crash) {
			return line
		}
	}
	return ""
}

func clip(s string) string {
	if len(s) <= mostCause {
		return s
	}
	end := mostCause
	for !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + "..."
}
