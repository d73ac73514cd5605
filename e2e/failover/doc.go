// Package failover kills workers and databases of the one-process system under load, and compares
// what callers were told with what is there.
package failover
