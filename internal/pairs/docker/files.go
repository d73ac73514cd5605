package docker

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"path"
	"slices"
	"time"

	"github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/container"
)

// newPassword returns a password of 128 bits that needs no quoting anywhere.
func newPassword() string {
	data := make([]byte, 16)
	_, _ = rand.Read(data) // never fails, as documented
	return hex.EncodeToString(data)
}

// put writes files into a folder of a container that need not run.
func (p *Pairs) put(ctx context.Context, id, folder string, owner int, mode int64, files map[string]string) error {
	var buffer bytes.Buffer
	archive := tar.NewWriter(&buffer)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		header := &tar.Header{
			Typeflag: tar.TypeReg, Name: name, Mode: mode, Uid: owner, Gid: owner,
			Size: int64(len(files[name])), ModTime: time.Now(),
		}
		err := archive.WriteHeader(header)
		if err == nil {
			_, err = io.WriteString(archive, files[name])
		}
		if err != nil {
			return err
		}
	}
	if err := archive.Close(); err != nil {
		return err
	}
	err := p.api.CopyToContainer(ctx, id, folder, &buffer, container.CopyToContainerOptions{})
	return p.explain("write the files of "+folder, "", err)
}

// maxFile is more than any file has that is read here.
const maxFile = 4096

// get reads a file of a container that need not run; empty where there is none.
func (p *Pairs) get(ctx context.Context, id, folder, name string) (_ string, err error) {
	file := path.Join(folder, name)
	stream, _, err := p.api.CopyFromContainer(ctx, id, file)
	if errdefs.IsNotFound(err) {
		return "", nil
	}
	if err != nil {
		return "", p.explain("read "+file, "", err)
	}
	defer func() { err = errors.Join(err, stream.Close()) }()
	archive := tar.NewReader(stream)
	if _, err := archive.Next(); err != nil {
		return "", fmt.Errorf("docker: read %s: %w", file, err)
	}
	data, err := io.ReadAll(io.LimitReader(archive, maxFile))
	if err != nil {
		return "", fmt.Errorf("docker: read %s: %w", file, err)
	}
	return string(data), nil
}
