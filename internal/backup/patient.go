package backup

import (
	"io"
	"net/http"
	"time"
)

// Stall is how long a client may leave a part of a snapshot unread: while one is read, a replica keeps
// the old versions of its rows.
const Stall = 30 * time.Second

// Patient returns a writer to a client that has Stall for each write, in place of a limit of the server's for
// the whole answer: a snapshot takes as long as whoever imports it.
func Patient(w io.Writer, connection *http.ResponseController) io.Writer {
	return patient{w, connection}
}

type patient struct {
	io.Writer
	connection *http.ResponseController
}

// Write implements io.Writer.
func (p patient) Write(b []byte) (int, error) {
	// A recorder has no deadlines to set.
	_ = p.connection.SetWriteDeadline(time.Now().Add(Stall))
	return p.Writer.Write(b)
}
