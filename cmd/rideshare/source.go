package main

import (
	"errors"
	"io"
	"os"

	"rideshare/internal/backup"
)

// source is a backup that can be read twice: once to check it, once to restore it.
type source struct {
	name   string
	first  io.Reader
	second *os.File
	opened []io.Closer
}

// openSource opens a backup. What is not a regular file can be read only once: it is copied on the
// way to a temporary file that nobody else can read, and that has no name any more, so that nothing is
// left of it however this program ends.
func (e environment) openSource(path string) (*source, error) {
	s := &source{name: "standard input", first: e.in}
	if path != standard {
		f, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		s.name, s.first, s.opened = path, f, []io.Closer{f}
		info, err := f.Stat()
		if err != nil {
			return nil, errors.Join(err, s.Close())
		}
		if info.Mode().IsRegular() {
			s.second = f
			return s, nil
		}
	}
	kept, err := os.CreateTemp("", "rideshare-restore-*")
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	s.first, s.second, s.opened = io.TeeReader(s.first, kept), kept, append(s.opened, kept)
	if err := os.Remove(kept.Name()); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// again begins the second reading.
func (s *source) again() (*backup.Reader, error) {
	if _, err := s.second.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	return backup.NewReader(s.second)
}

// Close closes what openSource has opened.
func (s *source) Close() error {
	var errs []error
	for _, c := range s.opened {
		errs = append(errs, c.Close())
	}
	return errors.Join(errs...)
}
