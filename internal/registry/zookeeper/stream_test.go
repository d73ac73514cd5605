package zookeeper_test

import (
	"encoding/binary"
	"io"
	"sync"
)

// stream is one connection through a proxy.
type stream struct {
	proxy *proxy

	mu     sync.Mutex
	begun  bool
	faults map[uint32]fault // by number of the request
}

func (s *stream) request(packet []byte) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.begun { // the first is the handshake
		s.begun = true
		return true
	}
	s.proxy.mu.Lock()
	inject := s.proxy.fault
	s.proxy.mu.Unlock()
	if inject == nil {
		return true
	}
	f := inject(int32(binary.BigEndian.Uint32(packet[8:])))
	if f != pass {
		s.faults[binary.BigEndian.Uint32(packet[4:])] = f
	}
	return f != cutBefore
}

func (s *stream) answer(packet []byte) bool {
	number := binary.BigEndian.Uint32(packet[4:])
	s.mu.Lock()
	f := s.faults[number]
	delete(s.faults, number)
	s.mu.Unlock()
	if f == holdAnswer {
		<-s.proxy.release
	}
	return f != cutAfter
}

// pump copies packets while keep says so.
func pump(to io.Writer, from io.Reader, keep func([]byte) bool) {
	for {
		packet := make([]byte, 4)
		if _, err := io.ReadFull(from, packet); err != nil {
			return
		}
		packet = append(packet, make([]byte, binary.BigEndian.Uint32(packet))...)
		if _, err := io.ReadFull(from, packet[4:]); err != nil {
			return
		}
		if !keep(packet) {
			return
		}
		if _, err := to.Write(packet); err != nil {
			return
		}
	}
}
