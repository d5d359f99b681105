package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha512"
	_ "embed"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// pkg is a package of packages.json.
type pkg struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	// Integrity is the SHA-512 of the package's archive, in the form of npm.
	Integrity string `json:"integrity"`
	// Main is the file that an import of the package's name means.
	Main string `json:"main"`

	files map[string][]byte // by path
}

//go:embed packages.json
var list []byte

// fetchAll returns the packages with their files.
func fetchAll() ([]pkg, error) {
	var packages []pkg
	if err := json.Unmarshal(list, &packages); err != nil {
		return nil, fmt.Errorf("packages.json: %w", err)
	}
	for n := range packages {
		p := &packages[n]
		archive, err := p.fetch()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", p.Name, err)
		}
		if p.files, err = unpack(archive); err != nil {
			return nil, fmt.Errorf("%s: %w", p.Name, err)
		}
	}
	return packages, nil
}

// fetch returns the package's archive from the user's cache, or by npm.
func (p *pkg) fetch() ([]byte, error) {
	cache := ""
	if dir, err := os.UserCacheDir(); err == nil {
		cache = filepath.Join(dir, "t2map-page", strings.NewReplacer("/", "-", "@", "").Replace(p.Name)+"-"+p.Version+".tgz")
		if archive, err := os.ReadFile(cache); err == nil && p.check(archive) == nil {
			return archive, nil
		}
	}
	archive, err := p.pack()
	if err != nil {
		return nil, err
	}
	if err := p.check(archive); err != nil {
		return nil, err
	}
	if cache != "" && os.MkdirAll(filepath.Dir(cache), 0o755) == nil {
		_ = os.WriteFile(cache, archive, 0o644) // without a cache it is fetched again
	}
	return archive, nil
}

// pack fetches the package's archive by npm, which knows where packages are. No script of the package runs.
func (p *pkg) pack() ([]byte, error) {
	dir, err := os.MkdirTemp("", "gen-*")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	npm := exec.Command("npm", "pack", "--silent", "--ignore-scripts", "--pack-destination", dir, p.Name+"@"+p.Version)
	npm.Dir, npm.Stderr = dir, os.Stderr
	if err := npm.Run(); err != nil {
		return nil, fmt.Errorf("npm pack: %w", err)
	}
	archives, err := filepath.Glob(filepath.Join(dir, "*.tgz"))
	if err != nil {
		return nil, err
	}
	if len(archives) != 1 {
		return nil, fmt.Errorf("npm pack: %d archives, want 1", len(archives))
	}
	return os.ReadFile(archives[0])
}

// check returns an error if the archive is not the expected one.
func (p *pkg) check(archive []byte) error {
	sum := sha512.Sum512(archive)
	if got := "sha512-" + base64.StdEncoding.EncodeToString(sum[:]); got != p.Integrity {
		return fmt.Errorf("integrity %s, want %s", got, p.Integrity)
	}
	return nil
}

// unpack returns the files of an archive by their paths below its folder, which is named package.
func unpack(archive []byte) (map[string][]byte, error) {
	packed, err := gzip.NewReader(bytes.NewReader(archive))
	if err != nil {
		return nil, err
	}
	files := map[string][]byte{}
	for r := tar.NewReader(packed); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return files, nil
		}
		if err != nil {
			return nil, err
		}
		_, name, ok := strings.Cut(h.Name, "/")
		if !ok || h.Typeflag != tar.TypeReg {
			continue
		}
		if files[name], err = io.ReadAll(r); err != nil {
			return nil, err
		}
	}
}
