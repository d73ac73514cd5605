// Package auth decides who may do what: it hashes and verifies passwords, issues and verifies the
// tokens of users, knows which token opens what, and slows down guessing.
package auth
