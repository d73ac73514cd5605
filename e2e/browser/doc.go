// Package browser tests the two pages in a real browser, Chromium, against the system in one
// process: every button, what is seen of a failure, and that everybody can use them.
package browser
