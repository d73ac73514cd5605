package main

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
)

// progressEvery is how often a bar is drawn.
const progressEvery = 100 * time.Millisecond

// progress is a bar on a terminal, and nothing elsewhere. Its methods may be called concurrently.
type progress struct {
	out   io.Writer // nil: nothing is drawn
	what  string
	total int64 // 0: not known
	begun time.Time

	mu    sync.Mutex
	done  int64
	drawn time.Time
}

// progress begins a bar. It goes to standard error: standard output is for what was asked for.
func (e environment) progress(what string, total int64) *progress {
	p := &progress{what: what, total: total, begun: time.Now()}
	if e.errIsTerminal {
		p.out = e.err
	}
	return p
}

func (p *progress) add(n int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.done += n
	if now := time.Now(); p.out != nil && now.Sub(p.drawn) >= progressEvery {
		p.drawn = now
		fmt.Fprint(p.out, "\r", p.line(now), "\x1b[K")
	}
}

// end removes the bar and returns how long it took.
func (p *progress) end() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.out != nil {
		fmt.Fprint(p.out, "\r\x1b[K")
	}
	return time.Since(p.begun)
}

// line is the bar at a moment.
func (p *progress) line(now time.Time) string {
	const width = 30
	took := now.Sub(p.begun)
	rate := float64(p.done) / max(took.Seconds(), 0.001)
	text := fmt.Sprintf("%s %d  %.0f/s", p.what, p.done, rate)
	if p.total <= 0 {
		return text
	}
	// The total may be an estimate.
	part := min(float64(p.done)/float64(p.total), 1)
	filled := int(part * width)
	left := time.Duration(float64(max(p.total-p.done, 0)) / max(rate, 1) * float64(time.Second)).Round(time.Second)
	return fmt.Sprintf("%s [%s%s] %3.0f%%  %d of %d  %.0f/s  %s left",
		p.what, strings.Repeat("#", filled), strings.Repeat(".", width-filled), 100*part, p.done, p.total, rate, left)
}
