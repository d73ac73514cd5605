package telemetry

import "syscall"

// disk returns how many bytes are available to the user on the file system of the path, and how
// many it has.
func disk(path string) (available, size float64, ok bool) {
	if path == "" {
		return 0, 0, false
	}
	var s syscall.Statfs_t
	if err := syscall.Statfs(path, &s); err != nil {
		return 0, 0, false
	}
	return float64(s.Bavail) * float64(s.Bsize), float64(s.Blocks) * float64(s.Bsize), true
}
