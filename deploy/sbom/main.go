// Command sbom writes software bills of materials (CycloneDX, JSON) of programs and of images: what is
// in them, in which version. It asks nobody: a Go program says itself which modules it is made of, and an
// image of ours has a list of Debian's packages, if it has any.
package main

import (
	"bufio"
	"debug/buildinfo"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"strings"

	cdx "github.com/CycloneDX/cyclonedx-go"
)

const usage = `usage: sbom -into FOLDER THING...

A thing is the file of a Go program, or image:NAME for an image that the container engine has. Each gets a
file in the folder, with its name.
`

// packages is the list of Debian's packages in an image (deploy/images/README.md).
const packages = "/etc/rideshare-packages"

// errUnknown: an image does not say what is in it. Official ones do so in attestations at their registry.
var errUnknown = errors.New("it has neither " + packages + " nor a Go program /app: ask its publisher for a bill of materials")

func main() {
	into := flag.String("into", "", "the folder that the files are written to")
	flag.Usage = func() { fmt.Fprint(os.Stderr, usage) }
	flag.Parse()
	if *into == "" || flag.NArg() == 0 {
		flag.Usage()
		os.Exit(2)
	}
	if err := run(*into, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "sbom:", err)
		os.Exit(1)
	}
}

func run(into string, things []string) error {
	if err := os.MkdirAll(into, 0o750); err != nil {
		return err
	}
	for _, thing := range things {
		describe, name := ofProgram, filepath.Base(thing)
		if image, ok := strings.CutPrefix(thing, "image:"); ok {
			describe, thing = ofImage, image
			name = strings.NewReplacer("/", "_", ":", "_").Replace(image)
		}
		bom, err := describe(thing)
		if errors.Is(err, errUnknown) {
			fmt.Fprintf(os.Stderr, "%s: %v\n", thing, err)
			continue
		}
		if err != nil {
			return fmt.Errorf("%s: %w", thing, err)
		}
		path := filepath.Join(into, name+".cdx.json")
		if err := write(path, bom); err != nil {
			return err
		}
		fmt.Printf("%s: %d components\n", path, len(*bom.Components))
	}
	return nil
}

func write(path string, bom *cdx.BOM) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	return errors.Join(cdx.NewBOMEncoder(f, cdx.BOMFileFormatJSON).SetPretty(true).Encode(bom), f.Close())
}

func newBOM(kind cdx.ComponentType, name, version string, components []cdx.Component) *cdx.BOM {
	bom := cdx.NewBOM()
	bom.Metadata = &cdx.Metadata{Component: &cdx.Component{Type: kind, Name: name, Version: version}}
	bom.Components = &components
	return bom
}

// ofProgram reads what the linker has put into a Go program.
func ofProgram(path string) (*cdx.BOM, error) {
	info, err := buildinfo.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return newBOM(cdx.ComponentTypeApplication, info.Path, info.Main.Version, modules(info)), nil
}

func modules(info *debug.BuildInfo) []cdx.Component {
	components := []cdx.Component{library("stdlib", strings.TrimPrefix(info.GoVersion, "go"), "pkg:golang/stdlib@")}
	for _, m := range info.Deps {
		if m.Replace != nil {
			m = m.Replace
		}
		components = append(components, library(m.Path, m.Version, "pkg:golang/"+m.Path+"@"))
	}
	return components
}

// library is a component with its package URL (purl), which ends with the version.
func library(name, version, purl string) cdx.Component {
	purl += url.PathEscape(version)
	return cdx.Component{BOMRef: purl, Type: cdx.ComponentTypeLibrary, Name: name, Version: version, PackageURL: purl}
}

// ofImage reads what an image says of itself: our programs are /app, and Debian's packages are in a list.
func ofImage(name string) (*cdx.BOM, error) {
	id, err := docker("create", "--entrypoint", "none", name)
	if err != nil {
		return nil, err
	}
	folder, err := os.MkdirTemp("", "sbom-*")
	if err != nil {
		return nil, err
	}
	defer func() {
		_, _ = docker("rm", id)  // it never ran
		_ = os.RemoveAll(folder) // which holds copies
	}()
	var components []cdx.Component
	if _, err := docker("cp", id+":"+packages, filepath.Join(folder, "packages")); err == nil {
		if components, err = debian(filepath.Join(folder, "packages")); err != nil {
			return nil, err
		}
	}
	if _, err := docker("cp", id+":/app", filepath.Join(folder, "app")); err == nil {
		info, err := buildinfo.ReadFile(filepath.Join(folder, "app"))
		if err != nil {
			return nil, err
		}
		components = append(components, modules(info)...)
	}
	if len(components) == 0 {
		return nil, errUnknown
	}
	digest, err := docker("image", "inspect", "-f", "{{.Id}}", name)
	if err != nil {
		return nil, err
	}
	return newBOM(cdx.ComponentTypeContainer, name, digest, components), nil
}

// debian reads lines of a package's name and its version.
func debian(path string) ([]cdx.Component, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // it is only read
	var components []cdx.Component
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		name, version, ok := strings.Cut(lines.Text(), " ")
		if !ok {
			return nil, fmt.Errorf("%w: %s has the line %q", fs.ErrInvalid, packages, lines.Text())
		}
		components = append(components, library(name, version, "pkg:deb/debian/"+name+"@"))
	}
	return components, lines.Err()
}

func docker(args ...string) (string, error) {
	out, err := exec.Command("docker", args...).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("docker %s: %w: %s", args[0], err, out)
	}
	return strings.TrimSpace(string(out)), nil
}
