// Package db is the database request language: the only form in which a request to change or read
// the database crosses a process boundary.
//
// Requests are data, not SQL. So nothing can be injected, the master can resolve what is not
// deterministic ($next, $now) before a write is logged, and requests of the same shape can be
// executed together. [Schema] names what exists; everything that enters through [DecodeWrite] or
// [DecodeRead] has been checked against it and carries typed values.
package db
