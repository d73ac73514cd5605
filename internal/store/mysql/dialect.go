package mysql

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"

	"github.com/go-sql-driver/mysql"

	"rideshare/internal/db"
	"rideshare/internal/store/sqlstore"
)

func dialect(explain func(error) error) sqlstore.Dialect {
	return sqlstore.Dialect{
		Bookkeeping: bookkeeping,
		Migrations:  migrations,
		BeginWrite:  "START TRANSACTION",
		BeginRead:   "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY",
		DDLCommits:  true,
		MaxRows:     1024,
		Script: &sqlstore.Script{
			Literal:  literal,
			RowCount: "SELECT ROW_COUNT()",
			MaxBytes: 2 << 20, // the server takes 64 MiB; above this a round trip costs nothing
		},
		Classify: classify,
		TooMuch:  tooMuch,
		Explain:  explain,
	}
}

// literal appends a number in decimal and everything else in hexadecimal.
func literal(text []byte, v any) []byte {
	switch v := v.(type) {
	case int:
		return strconv.AppendInt(text, int64(v), 10)
	case int64:
		return strconv.AppendInt(text, v, 10)
	case uint64:
		return strconv.AppendUint(text, v, 10)
	case string:
		text = append(text, "_utf8mb4 x'"...)
		return append(hex.AppendEncode(text, []byte(v)), '\'')
	case []byte:
		text = append(text, "x'"...)
		return append(hex.AppendEncode(text, v), '\'')
	default:
		panic(fmt.Sprintf("mysql: no literal for a %T", v)) // Script.Literal names the types
	}
}

// Numbers of the server's errors.
const (
	noSuchThread       = 1094
	accessDenied       = 1045
	databaseDenied     = 1044
	noSuchSchema       = 1049
	hostDenied         = 1130
	commandDenied      = 1142
	columnDenied       = 1143
	duplicateKey       = 1062
	duplicateKeyName   = 1586
	noReferencedRow    = 1452
	noReferencedRowOld = 1216
	rowIsReferenced    = 1451
	rowIsReferencedOld = 1217
)

func classify(err error) db.Kind {
	var e *mysql.MySQLError
	if !errors.As(err, &e) {
		return ""
	}
	switch e.Number {
	case duplicateKey, duplicateKeyName:
		return db.Duplicate
	case noReferencedRow, noReferencedRowOld, rowIsReferenced, rowIsReferencedOld:
		return db.ForeignKey
	default:
		return ""
	}
}
