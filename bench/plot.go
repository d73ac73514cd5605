package main

import (
	"fmt"
	"image/color"
	"os"
	"path/filepath"
	"time"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

// line is a line of a picture: a system, and which of its workloads stands for the panel's.
type line struct {
	system, workload, label string
	colour                  color.Color
	dashes                  []vg.Length
}

// panel is one of the plots of a picture.
type panel struct {
	title string
	lines []line
}

// The colours of the systems, which people who do not see red or green can tell apart (Okabe and Ito).
func colourOf(system string) color.Color {
	switch system {
	case ours:
		return color.RGBA{R: 0xd5, G: 0x5e, A: 0xff}
	case plain:
		return color.RGBA{G: 0x72, B: 0xb2, A: 0xff}
	case group:
		return color.RGBA{R: 0xcc, G: 0x79, B: 0xa7, A: 0xff}
	default:
		return color.RGBA{G: 0x9e, B: 0x73, A: 0xff}
	}
}

// panels are those of each picture: writes, reads at all levels, lists.
func panels(systems []string) []panel {
	var writes, reads, lists panel
	writes.title, reads.title, lists.title = write, "GET /rides/{id}", upcoming
	for _, s := range systems {
		colour := colourOf(s)
		writes.lines = append(writes.lines, line{s, write, s, colour, nil})
		lists.lines = append(lists.lines, line{s, upcoming, s, colour, nil})
		reads.lines = append(reads.lines, line{s, eventual, s, colour, nil})
		if s == ours || s == oneProcess {
			reads.lines = append(reads.lines,
				line{s, session, "session", colour, []vg.Length{vg.Points(6), vg.Points(3)}},
				line{s, strong, "strong", colour, []vg.Length{vg.Points(1.5), vg.Points(3)}})
		}
	}
	return []panel{writes, reads, lists}
}

// drawAll draws the pictures of a run into the folder.
func drawAll(r results, systems []string, folder string) error {
	for file, of := range map[string]struct {
		vertical, horizontal string
		names                []string
		values               func(line) []float64
		logarithmic          bool
	}{
		"bench-throughput.svg": {"requests a second", "connections", names(connections(write)), func(l line) []float64 {
			var values []float64
			for _, n := range connections(l.workload) {
				m, _ := r.median(cell{l.system, l.workload, n})
				values = append(values, m.PerSecond)
			}
			return values
		}, false},
		"bench-latency.svg": {"milliseconds at 16 connections", "percentile", []string{"p50", "p90", "p99"}, func(l line) []float64 {
			m, _ := r.median(cell{l.system, l.workload, 16})
			return []float64{milliseconds(m.P50), milliseconds(m.P90), milliseconds(m.P99)}
		}, true},
	} {
		var plots []*plot.Plot
		for _, p := range panels(systems) {
			drawn, err := p.draw(of.vertical, of.horizontal, of.names, of.values, of.logarithmic)
			if err != nil {
				return err
			}
			plots = append(plots, drawn)
		}
		if err := save(filepath.Join(folder, file), plots); err != nil {
			return err
		}
	}
	return nil
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

func names(numbers []int) (all []string) {
	for _, n := range numbers {
		all = append(all, fmt.Sprint(n))
	}
	return all
}

// draw draws a panel, whose horizontal axis has a place for each name. A value that was not measured
// or does not count is 0, and left out.
func (p panel) draw(vertical, horizontal string, names []string, values func(line) []float64, logarithmic bool) (*plot.Plot, error) {
	drawn := plot.New()
	drawn.Title.Text, drawn.X.Label.Text, drawn.Y.Label.Text = p.title, horizontal, vertical
	drawn.Title.TextStyle.Font.Size, drawn.Title.Padding = vg.Points(13), vg.Points(8)
	drawn.Legend.Top, drawn.Legend.Left, drawn.Legend.Padding = true, true, vg.Points(2.5)
	drawn.Legend.TextStyle.Font.Size = vg.Points(9)
	drawn.BackgroundColor = color.White
	drawn.Add(plotter.NewGrid())
	drawn.NominalX(names...)
	highest := 0.0
	for _, l := range p.lines {
		var points plotter.XYs
		for i, v := range values(l) {
			if v > 0 {
				points = append(points, plotter.XY{X: float64(i), Y: v})
				highest = max(highest, v)
			}
		}
		if len(points) == 0 {
			continue
		}
		curve, dots, err := plotter.NewLinePoints(points)
		if err != nil {
			return nil, err
		}
		curve.Color, curve.Width, curve.Dashes = l.colour, vg.Points(1.8), l.dashes
		dots.Color, dots.Shape, dots.Radius = l.colour, draw.CircleGlyph{}, vg.Points(2.5)
		drawn.Add(curve, dots)
		drawn.Legend.Add(l.label, curve, dots)
	}
	drawn.X.Min, drawn.X.Max = -0.2, float64(len(names))-0.8
	if logarithmic && highest > 0 {
		drawn.Y.Scale, drawn.Y.Tick.Marker = plot.LogScale{}, plot.LogTicks{Prec: -1}
		drawn.Y.Max = 20 * highest // room for the legend
	} else {
		drawn.Y.Min, drawn.Y.Max = 0, 1.5*highest+1
	}
	return drawn, nil
}

// save writes plots side by side as SVG.
func save(file string, plots []*plot.Plot) error {
	canvas := vgsvg.New(vg.Points(380*float64(len(plots))), vg.Points(380))
	tiles := draw.Tiles{Rows: 1, Cols: len(plots), PadX: vg.Points(16), PadTop: vg.Points(8), PadBottom: vg.Points(8), PadLeft: vg.Points(8), PadRight: vg.Points(8)}
	for i, c := range plot.Align([][]*plot.Plot{plots}, tiles, draw.New(canvas))[0] {
		plots[i].Draw(c)
	}
	out, err := os.Create(file)
	if err != nil {
		return err
	}
	if _, err := canvas.WriteTo(out); err != nil {
		_ = out.Close() // the first error is the one that counts
		return err
	}
	return out.Close()
}
