// Package storetest is the conformance suite of store.Store: every implementation passes it.
package storetest

import (
	"context"
	"testing"

	"rideshare/internal/store"
)

// Opener opens one database: always the same, which is not open otherwise.
type Opener func(ctx context.Context) (store.Store, error)

// Create makes an empty database that is removed when the test ends.
type Create func(t testing.TB) Opener

// Features are the honest differences between implementations.
type Features struct {
	// BoundsLarge: large reads wait for each other, and are refused where too many do.
	BoundsLarge bool
	// DDLCommits: a migration commits what came before it in its transaction, and is not undone
	// with it.
	DDLCommits bool
}

// Run runs the suite.
func Run(t *testing.T, features Features, create Create) {
	RunMigrations(t, features, create)
	run(t, features, create, []test{
		{"insert", testInsert},
		{"update", testUpdate},
		{"update of keys", testUpdateKey},
		{"delete", testDelete},
		{"check", testCheck},
		{"expect", testExpect},
		{"clear", testClear},
		{"advance", testAdvance},
		{"cascade", testCascade},
		{"text", testText},
		{"integers", testIntegers},
		{"times", testTimes},
		{"in lists", testInLists},
		{"query parts", testQueryParts},
		{"order", testOrder},
		{"large answers", testLargeAnswer},
		{"large sorts", testLargeSort},
		{"many shapes", testShapes},
		{"as many conditions as there may be", testMostConditions},
		{"constraints", testConstraints},
		{"failed call is undone", testUndo},
		{"failure in a long run of inserts", testRun},
		{"unchecked request breaks", testUnchecked},
		{"bookkeeping", testBookkeeping},
		{"sequences", testSequences},
		{"replies expire", testExpire},
		{"isolation", testIsolation},
		{"one snapshot per read", testSnapshotRead},
		{"reads that share", testSharedReads},
		{"durable", testDurable},
		{"rollback", testRollback},
		{"over", testOver},
		{"close undoes", testCloseUndoes},
		{"closed", testClosed},
		{"close beside calls", testCloseBesideCalls},
		{"close beside blocked streams", testCloseBesideStreams},
		{"contexts", testContexts},
		{"cancelled transaction", testCancelledTx},
		{"one writer", testOneWriter},
		{"damaged snapshots", testDamagedSnapshots},
		{"streams that fail", testFailingStreams},
		{"checksum", testChecksum},
		{"replicas agree", testReplicas},
	})
}

// RunMigrations runs the part of the suite in which the schema changes.
func RunMigrations(t *testing.T, features Features, create Create) {
	run(t, features, create, []test{
		{"new database", testNew},
		{"migrate", testMigrate},
		{"before migration 1", testUnmigrated},
		{"new columns", testNewColumns},
		{"round trip", testRoundTrip},
		{"empty round trip", testEmptyRoundTrip},
		{"foreign snapshots", testForeignSnapshots},
	})
}

type test struct {
	name string
	run  func(*fixture)
}

func run(t *testing.T, features Features, create Create, tests []test) {
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) { test.run(newFixture(t, features, create)) })
	}
}
