// Package auth decides who may do what: it hashes and verifies passwords, issues and verifies the
// tokens of users, compares the service token and slows down guessing.
package auth
