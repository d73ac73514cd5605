package mysql

import (
	"errors"
	"testing"

	"github.com/go-sql-driver/mysql"

	"rideshare/internal/dockertest"
	"rideshare/internal/store"
	"rideshare/internal/store/storetest"
)

// TestFullDisk gives a server a disk of little more than what it takes by itself.
func TestFullDisk(t *testing.T) {
	mysql := dockertest.MySQL(t, func(o *dockertest.Options) { o.Tmpfs = []string{"/var/lib/mysql:mode=1777,size=250m"} })
	s := &server{MySQLServer: mysql, addr: mysql.Addr(3306)}
	storetest.RunFull(t, storetest.Disk{
		Open: s.create(t),
		// It ends itself where it finds no room for a file of its redo log, all of which it makes soon
		// after its start. dd ends with an error when the disk is full, as it should.
		Fill: func() {
			s.Exec(t, "sh", "-c", "i=0; until [ $(ls '/var/lib/mysql/#innodb_redo' | wc -l) -ge 32 ]; do sleep 0.1; i=$((i+1)); [ $i -lt 300 ]; done")
			s.Exec(t, "sh", "-c", "! dd if=/dev/zero of=/var/lib/mysql/fill bs=64k 2>/dev/null; ! dd if=/dev/zero of=/var/lib/mysql/fill2 bs=4k 2>/dev/null")
		},
		Free: func() { s.Exec(t, "rm", "-f", "/var/lib/mysql/fill", "/var/lib/mysql/fill2") },
	})
}

func TestErrorsOfAFullDisk(t *testing.T) {
	for _, test := range []struct {
		number uint16
		text   string
		full   bool
	}{
		{1021, "Disk full (/var/lib/mysql/x); waiting for someone to free some space...", true},
		{1114, "The table 'rides' is full", true},
		{3675, "Create table/tablespace 'rides' failed, as disk is full", true},
		{1878, "Temporary file write failure.", true},
		{3019, "Undo Log error: No more space left over in undo log file", true},
		{3, "Error writing file './rideshare/x' (OS errno 28 - No space left on device)", true},
		{3, "Error writing file './rideshare/x' (OS errno 5 - Input/output error)", false},
		{1026, "Error writing file './x' (errno: 28 - No space left on device)", true},
		{1026, "Error writing file './x' (errno: 122 - Disk quota exceeded)", true},
		{1030, "Got error 28 - 'No space left on device' from storage engine", true},
		{1030, "Got error 168 - 'Unknown (generic) error from engine' from storage engine", false},
		{1005, "Can't create table `rideshare`.`x` (errno: 150 - Foreign key constraint is incorrectly formed)", false},
		{1180, "Got error 28 - 'No space left on device' during COMMIT", true},
		{1041, "Out of memory.", false},
		{1062, "Duplicate entry 'error 28' for key 'PRIMARY'", false},
		{1213, "Deadlock found when trying to get lock; try restarting transaction", false},
	} {
		err := explainFull(&mysql.MySQLError{Number: test.number, Message: test.text})
		if full := errors.Is(err, store.ErrFull); full != test.full {
			t.Errorf("%d, %s: %v", test.number, test.text, full)
		}
	}
}
