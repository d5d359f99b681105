package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// The table of packages in docs/architecture.md has each package once, and no file that is not there.
func TestPackagesOfArchitecture(t *testing.T) {
	root := filepath.Join("..", "..")
	text, err := os.ReadFile(filepath.Join(root, "docs", "architecture.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(text), "## The packages\n\n```\n")
	table, _, ended := strings.Cut(table, "\n```\n")
	if !ended {
		t.Fatal("no table of packages")
	}
	file := regexp.MustCompile(`[a-z0-9_*]+\.go\b`)
	var packages []string
	for line := range strings.Lines(table) {
		if !strings.HasPrefix(line, " ") {
			name := strings.Fields(line)[0]
			if slices.Contains(packages, name) {
				t.Errorf("%s appears twice", name)
			}
			packages = append(packages, name)
		}
		for _, name := range file.FindAllString(line, -1) {
			found, err := filepath.Glob(filepath.Join(root, packages[len(packages)-1], name))
			if err != nil || len(found) == 0 {
				t.Errorf("%s: no file %s", packages[len(packages)-1], name)
			}
		}
	}
	for _, name := range packages {
		if info, err := os.Stat(filepath.Join(root, name)); err != nil || !info.IsDir() {
			t.Errorf("%s is not a folder", name)
		}
	}
	err = filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() && (strings.HasPrefix(d.Name(), ".") && path != root || d.Name() == "testdata") {
			return filepath.SkipDir
		}
		name, _ := filepath.Rel(root, filepath.Dir(path))
		name = filepath.ToSlash(name)
		if strings.HasSuffix(path, ".go") && !strings.HasSuffix(path, "_test.go") && !slices.Contains(packages, name) && name != "t2fit/internal/lanes/gen" {
			t.Errorf("%s is missing", name)
			packages = append(packages, name)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}
