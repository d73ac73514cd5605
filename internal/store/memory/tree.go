package memory

import (
	"iter"
	"math/rand/v2"
)

// tree is a table's rows in the order of their keys. It never changes: put and remove return
// another tree, which shares with this one all but the path to the key. So a copy of the root is a
// snapshot, a savepoint and a transaction, and needs no lock.
//
// It is a treap: a search tree by key, and a heap by priority, which keeps it flat.
type tree struct{ root *node }

type node struct {
	key         string // see keyOf
	row         row
	priority    uint32
	left, right *node
}

// get returns the row with that key, or nil.
func (t tree) get(key string) row {
	for n := t.root; n != nil; {
		switch {
		case key < n.key:
			n = n.left
		case key > n.key:
			n = n.right
		default:
			return n.row
		}
	}
	return nil
}

// put adds a row, in place of the one with that key.
func (t tree) put(key string, r row) tree { return tree{t.root.put(key, r)} }

// remove leaves out the row with that key, where there is one.
func (t tree) remove(key string) tree { return tree{t.root.remove(key)} }

// all yields the rows in the order of their keys.
func (t tree) all() iter.Seq2[string, row] {
	return func(yield func(string, row) bool) { t.root.all(yield) }
}

func (n *node) put(key string, r row) *node {
	if n == nil {
		return &node{key: key, row: r, priority: rand.Uint32()} //nolint:gosec // a coin, no secret
	}
	c := *n
	switch {
	case key < n.key:
		c.left = n.left.put(key, r)
		if up := c.left; up.priority > c.priority { // up is new: nobody else sees it yet
			c.left, up.right = up.right, &c
			return up
		}
	case key > n.key:
		c.right = n.right.put(key, r)
		if up := c.right; up.priority > c.priority {
			c.right, up.left = up.left, &c
			return up
		}
	default:
		c.row = r
	}
	return &c
}

func (n *node) remove(key string) *node {
	if n == nil {
		return nil
	}
	c := *n
	switch {
	case key < n.key:
		c.left = n.left.remove(key)
	case key > n.key:
		c.right = n.right.remove(key)
	default:
		return merge(n.left, n.right)
	}
	return &c
}

// merge joins two trees of which all keys of the first come before those of the second.
func merge(a, b *node) *node {
	switch {
	case a == nil:
		return b
	case b == nil:
		return a
	case a.priority > b.priority:
		c := *a
		c.right = merge(a.right, b)
		return &c
	default:
		c := *b
		c.left = merge(a, b.left)
		return &c
	}
}

func (n *node) all(yield func(string, row) bool) bool {
	return n == nil || (n.left.all(yield) && yield(n.key, n.row) && n.right.all(yield))
}
