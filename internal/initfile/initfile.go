// Package initfile is what a MySQL server of a pair executes at each start, before anybody can connect
// (--init-file).
package initfile

import "fmt"

// Procedure is a procedure of the schema, with one argument: TRUE has each commit wait until it is on disk,
// FALSE has the server write it within a second (innodb_flush_log_at_trx_commit = 1 and 2). The setting is the
// server's, and takes SYSTEM_VARIABLES_ADMIN. With the procedure, a worker that may execute it changes this
// variable and no other.
const Procedure = "commits_wait_for_disk"

// Text returns the statements that make the schema and the procedure where they are missing. Each is one line,
// as the server wants it, and may run again. root@localhost, which MySQL makes itself, defines the procedure. The
// schema's name is a plain identifier.
func Text(schema string) string {
	return fmt.Sprintf("CREATE DATABASE IF NOT EXISTS `%s`;\n", schema) +
		fmt.Sprintf("CREATE DEFINER = 'root'@'localhost' PROCEDURE IF NOT EXISTS `%s`.`%s` (IN waits BOOLEAN) SQL SECURITY DEFINER ", schema, Procedure) +
		"SET GLOBAL innodb_flush_log_at_trx_commit = IF(waits, 1, 2);\n"
}
