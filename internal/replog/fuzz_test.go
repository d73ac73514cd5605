package replog_test

import (
	"fmt"
	"testing"

	"rideshare/internal/replog"
)

// FuzzFold lets masters write into one log as the input says: each believes what it last read, so
// late entries, markers, duplicates and entries in doubt meet in any order. Then it reads the log
// with several readers which start at different places, and checks what the protocol rests on:
// no two readers disagree, no entry that its master read back is skipped by anybody, and nothing
// is ever found corrupt.
func FuzzFold(f *testing.F) {
	f.Add([]byte{0, 0, 1, 1, 2, 2, 3, 3})
	f.Add([]byte{8, 1, 9, 2, 10, 3, 0, 16, 1, 17, 5, 4, 4, 12, 20, 6})
	f.Add([]byte("a master dies, another one takes over, and the first one comes back"))
	f.Fuzz(func(t *testing.T, script []byte) {
		g := newGame()
		for _, b := range script[:min(len(script), 400)] {
			g.play(int(b)&3, int(b)>>2)
		}
		g.check(t)
	})
}

// game is a log and the masters that write to it.
type game struct {
	log     []item
	held    []item // appended, and still on their way
	epoch   uint64 // the last one that was handed out
	players [4]player
	acked   map[replog.Hash]uint64 // entries that were read back as valid, by their number
}

// item is a record in the log: decoded once, as everybody reads it again and again.
type item struct {
	record *replog.Record
	hash   replog.Hash
}

func itemOf(data []byte) item {
	record, err := replog.Decode(data)
	if err != nil {
		panic(err) // it was encoded above
	}
	return item{record, replog.HashOf(data)}
}

// player is a worker: what it has read so far, and what it waits to read back.
type player struct {
	state  replog.State
	read   int
	leads  uint64 // the epoch it was elected for, 0 when it is a slave
	fenced bool   // it has read its own marker
	doubt  *item  // appended and not read back
}

func newGame() *game {
	genesis := replog.State{}.NewGenesis("log", "seed", 0)
	return &game{log: []item{itemOf(genesis.Encode())}, epoch: 1, acked: map[replog.Hash]uint64{}}
}

// play makes one move of one player.
func (g *game) play(who, move int) {
	p := &g.players[who]
	switch move % 8 {
	case 0: // it is elected, and appends its marker
		g.epoch++
		p.leads, p.fenced, p.doubt = g.epoch, false, nil
		marker := replog.Record{Kind: replog.MarkerKind, Epoch: p.leads, Worker: fmt.Sprint(who)}
		g.append(itemOf(marker.Encode()), move)
	case 1, 2: // it appends an entry, where it believes to be master and nothing is in doubt
		if p.fenced && p.doubt == nil {
			entry := p.state.NewEntry()
			entry.Nonce = fmt.Sprint(who, len(g.log), len(g.held))
			doubt := itemOf(entry.Encode())
			p.doubt = &doubt
			g.append(doubt, move)
		}
	case 3: // it appends what is in doubt once more
		if p.doubt != nil {
			g.append(*p.doubt, move)
		}
	case 4, 5: // it reads some of the log
		for n := 0; n <= move/8 && p.read < len(g.log); n++ {
			g.step(p)
		}
	case 6: // something arrives late
		if len(g.held) > 0 {
			i := move / 8 % len(g.held)
			g.log = append(g.log, g.held[i])
			g.held = append(g.held[:i:i], g.held[i+1:]...)
		}
	case 7: // it starts again from what it has stored, at its last entry
		p.leads, p.fenced, p.doubt = 0, false, nil
		p.read = int(p.state.Offset)
		if p.state.LogID != "" {
			p.read++
		}
	}
}

func (g *game) append(i item, move int) {
	if move&32 != 0 {
		g.held = append(g.held, i)
		return
	}
	g.log = append(g.log, i)
}

// step lets a player read one record.
func (g *game) step(p *player) {
	i := g.log[p.read]
	var verdict replog.Verdict
	p.state, verdict = replog.Fold(p.state, i.record, replog.Offset(p.read), i.hash)
	p.read++
	switch {
	case verdict == replog.NewEpoch && i.record.Epoch == p.leads:
		p.fenced = true
	case verdict == replog.NewEpoch:
		p.leads, p.fenced, p.doubt = 0, false, nil
	case verdict == replog.Valid && p.doubt != nil && i.hash == p.doubt.hash:
		g.acked[i.hash] = i.record.Seq
		p.doubt = nil
	}
}

func (g *game) check(t *testing.T) {
	g.log = append(g.log, g.held...)
	var state replog.State
	seen := map[replog.Hash]uint64{}
	states := []replog.State{}
	for offset, i := range g.log {
		var verdict replog.Verdict
		before := state
		state, verdict = replog.Fold(state, i.record, replog.Offset(offset), i.hash)
		if verdict == replog.Corrupt || verdict == replog.Foreign {
			t.Fatalf("record %d gets the verdict %d", offset, verdict)
		}
		if verdict == replog.Valid {
			seen[i.hash] = i.record.Seq
		}
		if state != before {
			states = append(states, state)
		}
	}
	for h, seq := range g.acked {
		if seen[h] != seq {
			t.Fatalf("entry %d was read back by its master, and is skipped by a reader from the beginning", seq)
		}
	}
	for who := range g.players {
		p := &g.players[who]
		for p.read < len(g.log) {
			g.step(p)
		}
		if p.state != state {
			t.Fatalf("player %d ends in %+v, a reader from the beginning in %+v", who, p.state, state)
		}
	}
	// A reader that attaches at the state it has stored anywhere on the way gets to the same end.
	for _, from := range states {
		s := from
		for offset := int(s.Offset) + 1; offset < len(g.log); offset++ {
			s, _ = replog.Fold(s, g.log[offset].record, replog.Offset(offset), g.log[offset].hash)
		}
		if s != state {
			t.Fatalf("attached at %+v, a reader ends in %+v instead of %+v", from, s, state)
		}
	}
}
