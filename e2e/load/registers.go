package load

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/anishathalye/porcupine"

	"rideshare/internal/db"
)

// Registers are a few keys that clients write and strongly read at the same time. Their history is
// what a linearizability checker judges.
type Registers struct {
	rides []int64 // the key of register i is the source of this ride
	start time.Time

	mu      sync.Mutex
	history []porcupine.Operation
	written int64
}

// Database is where registers are: a Target, or something that retries.
type Database interface {
	Write(ctx context.Context, ops ...db.Op) (db.WriteResult, error)
	Read(ctx context.Context, r db.Read) (db.ReadResult, error)
}

// NewRegisters makes n registers, all 0, of rides of the user.
func NewRegisters(ctx context.Context, d Database, user string, n int) (*Registers, error) {
	r := &Registers{start: time.Now()}
	for i := range n {
		result, err := d.Write(ctx, db.Op{Insert: "rides", Values: map[string]any{
			"ride_id": db.Next("rides"), "created_by": user, "source": 0, "destination": i, "departs_at": db.Now{},
		}})
		if err != nil {
			return nil, err
		}
		r.rides = append(r.rides, db.Row(result.Results[0].Values).Int("ride_id"))
	}
	return r, nil
}

// Access is the input of an operation on a register. Its output is the register's value, an int64.
type Access struct {
	Register int
	Write    bool
	Value    int64 // that is written
}

// Client writes and reads the registers until ctx ends.
func (r *Registers) Client(ctx context.Context, t *Target, l *Ledger, id int) {
	for ctx.Err() == nil {
		// What was begun is finished: only so is it known whether it was done.
		l.Count(r.Step(context.WithoutCancel(ctx), t, id))
	}
}

// Step writes or reads one of the registers.
func (r *Registers) Step(ctx context.Context, d Database, id int) error {
	a := Access{Register: rand.IntN(len(r.rides)), Write: rand.IntN(2) == 0}
	if a.Write {
		r.mu.Lock()
		r.written++
		a.Value = r.written
		r.mu.Unlock()
	}
	call := time.Since(r.start)
	value, err := r.do(ctx, d, a)
	op := porcupine.Operation{ClientId: id, Input: a, Call: int64(call), Output: value, Return: int64(time.Since(r.start))}
	switch {
	case err == nil:
	case a.Write:
		op.Return = NeverEnded // it may have been done, at any time
	default:
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.history = append(r.history, op)
	return err
}

func (r *Registers) do(ctx context.Context, d Database, a Access) (int64, error) {
	where := []db.Condition{db.Where("ride_id", db.Eq, r.rides[a.Register])}
	if a.Write {
		_, err := d.Write(ctx, db.Op{Update: "rides", Set: map[string]any{"source": a.Value}, Where: where, Expect: db.Rows(1)})
		return a.Value, err
	}
	result, err := d.Read(ctx, db.Read{
		Queries:     []db.Query{{Table: "rides", Columns: []string{"source"}, Where: where}},
		Consistency: db.Strong,
	})
	if err == nil && len(result.Results[0].Rows) != 1 {
		err = fmt.Errorf("register %d is gone", a.Register)
	}
	if err != nil {
		return 0, err
	}
	return result.Results[0].Rows[0].Int("source"), nil
}

// Operations returns how many operations the history has.
func (r *Registers) Operations() int { return len(r.History()) }

// History returns what was done so far. A write of unknown outcome has no end.
func (r *Registers) History() []porcupine.Operation {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.history)
}

// Check judges the history. Unknown means that there was not enough time to.
func (r *Registers) Check(timeout time.Duration) (verdict porcupine.CheckResult, operations int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return porcupine.CheckOperationsTimeout(RegisterModel, r.history, timeout), len(r.history)
}

// NeverEnded is the end of an operation that was not answered.
const NeverEnded int64 = 1 << 62

// RegisterModel is a set of integer registers, each of which begins at 0.
var RegisterModel = porcupine.Model{
	Partition: func(history []porcupine.Operation) [][]porcupine.Operation {
		byRegister := map[int][]porcupine.Operation{}
		for _, op := range history {
			i := op.Input.(Access).Register
			byRegister[i] = append(byRegister[i], op)
		}
		var parts [][]porcupine.Operation
		for _, part := range byRegister {
			parts = append(parts, part)
		}
		return parts
	},
	Init: func() any { return int64(0) },
	Step: func(state, input, output any) (bool, any) {
		if a := input.(Access); a.Write {
			return true, a.Value
		}
		return output.(int64) == state.(int64), state
	},
	DescribeOperation: func(input, output any) string {
		a := input.(Access)
		if a.Write {
			return fmt.Sprintf("register %d = %d", a.Register, a.Value)
		}
		return fmt.Sprintf("register %d is %v", a.Register, output)
	},
}
