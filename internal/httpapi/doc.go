// Package httpapi is what the HTTP functions share: a huma API on a ServeMux that answers errors as
// RFC 9457 problem documents, and the middleware around it.
//
// Errors become HTTP here and nowhere else: an operation returns an error, [FromError] says what
// the caller gets.
package httpapi
