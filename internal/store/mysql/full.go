package mysql

import (
	"errors"
	"fmt"
	"regexp"
	"slices"

	"github.com/go-sql-driver/mysql"

	"rideshare/internal/store"
)

// fullErrors are the numbers of the server's errors that mean a full disk, whatever their text is.
var fullErrors = []uint16{
	20,   // EE_DISK_FULL
	1021, // ER_DISK_FULL
	1114, // ER_RECORD_FILE_FULL: InnoDB cannot extend a tablespace
	1878, // ER_TEMP_FILE_WRITE_FAILURE
	3019, // ER_INNODB_UNDO_LOG_FULL
	3675, // ER_DISK_FULL_NOWAIT: InnoDB cannot create a tablespace
}

// systemErrors are the numbers of those that pass on an error of the system, with its number in the
// text. Other texts may contain a caller's data.
var systemErrors = []uint16{
	1,    // EE_CANTCREATEFILE
	3,    // EE_WRITE
	1004, // ER_CANT_CREATE_FILE
	1005, // ER_CANT_CREATE_TABLE
	1006, // ER_CANT_CREATE_DB
	1025, // ER_ERROR_ON_RENAME
	1026, // ER_ERROR_ON_WRITE
	1030, // ER_GET_ERRNO
	1180, // ER_ERROR_DURING_COMMIT
}

// fullText finds ENOSPC (28) and EDQUOT (122) in such a text.
var fullText = regexp.MustCompile(`(?i)\b(?:errno|error|error number):? (?:28|122)\b`)

// memoryErrors are the numbers of those that say that a statement takes more memory than there is.
var memoryErrors = []uint16{
	5,    // EE_OUTOFMEMORY
	1037, // ER_OUTOFMEMORY
	1038, // ER_OUT_OF_SORTMEMORY
	1041, // ER_OUT_OF_RESOURCES
	1104, // ER_TOO_BIG_SELECT
	1135, // ER_CANT_CREATE_THREAD
	1436, // ER_STACK_OVERRUN_NEED_MORE
}

// tooMuch reports whether a read has failed for lack of memory or of room for temporary files. They are on a
// file system of their own, so that this says nothing about the disk.
func tooMuch(err error) bool {
	var e *mysql.MySQLError
	return errors.Is(err, store.ErrFull) || errors.As(err, &e) && slices.Contains(memoryErrors, e.Number)
}

// explainFull marks an error as store.ErrFull if the server says that its disk is full.
func explainFull(err error) error {
	var e *mysql.MySQLError
	if !errors.As(err, &e) || errors.Is(err, store.ErrFull) {
		return err
	}
	if slices.Contains(fullErrors, e.Number) || slices.Contains(systemErrors, e.Number) && fullText.MatchString(e.Message) {
		return fmt.Errorf("%w: %w", store.ErrFull, err)
	}
	return err
}
