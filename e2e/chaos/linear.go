package chaos

import (
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"github.com/anishathalye/porcupine"

	"rideshare/e2e/load"
)

const (
	judging  = time.Minute     // for the verdict on a history
	cutting  = 5 * time.Second // for that on a part of it, while the shortest is looked for
	mostCuts = 500
)

// JudgeRegisters judges the history of registers. One that is not linearizable is drawn into the
// folder, and told by the shortest part of it that is not.
func JudgeRegisters(history []porcupine.Operation, folder, name string) []Violation {
	var found []Violation
	for _, part := range load.RegisterModel.Partition(history) {
		switch porcupine.CheckOperationsTimeout(load.RegisterModel, part, judging) {
		case porcupine.Ok:
		case porcupine.Unknown:
			found = append(found, Violation{Kind: notJudgeable, What: fmt.Sprintf("%d operations on a register within %v", len(part), judging)})
		case porcupine.Illegal:
			short := Shorten(part)
			v := Violation{Kind: Unlinear, What: fmt.Sprintf("%d operations on a register, %d of which show it", len(part), len(short))}
			for _, op := range short {
				v.History = append(v.History, describe(op))
			}
			_, info := porcupine.CheckOperationsVerbose(load.RegisterModel, short, judging)
			v.Page = filepath.Join(folder, fmt.Sprintf("%s-register-%d.html", name, part[0].Input.(load.Access).Register))
			if err := porcupine.VisualizePath(load.RegisterModel, info, v.Page); err != nil {
				v.What += fmt.Sprintf(" (which could not be drawn: %v)", err)
				v.Page = ""
			}
			found = append(found, v)
		}
	}
	return found
}

func describe(op porcupine.Operation) string {
	ended := "never answered"
	if op.Return != load.NeverEnded {
		ended = fmt.Sprint("to ", ms(time.Duration(op.Return)))
	}
	return fmt.Sprintf("%v %s: client %d: %s", ms(time.Duration(op.Call)), ended, op.ClientId, load.RegisterModel.DescribeOperation(op.Input, op.Output))
}

// Shorten returns as little of an illegal history as shows that it is: up to the first moment at
// which it is illegal, and without the reads that do not matter. All writes up to there stay: without one
// of them a right read would look wrong.
func Shorten(history []porcupine.Operation) []porcupine.Operation {
	illegal := func(h []porcupine.Operation) bool {
		return porcupine.CheckOperationsTimeout(load.RegisterModel, h, cutting) == porcupine.Illegal
	}
	sorted := slices.Clone(history)
	slices.SortStableFunc(sorted, func(a, b porcupine.Operation) int { return int(a.Return - b.Return) })
	// What had ended by then, and the writes that had begun.
	until := func(n int) []porcupine.Operation {
		part := slices.Clone(sorted[:n])
		for _, op := range sorted[n:] {
			if op.Input.(load.Access).Write && op.Call < part[n-1].Return {
				op.Return = load.NeverEnded
				part = append(part, op)
			}
		}
		return part
	}
	low, high := 1, len(sorted) // the first low..high of them are illegal
	for low < high {
		if middle := (low + high) / 2; illegal(until(middle)) {
			high = middle
		} else {
			low = middle + 1
		}
	}
	short := until(high)
	for i, tries := len(short)-1, 0; i >= 0 && tries < mostCuts; i-- {
		if short[i].Input.(load.Access).Write {
			continue
		}
		tries++
		if without := slices.Delete(slices.Clone(short), i, i+1); illegal(without) {
			short = without
		}
	}
	return short
}
