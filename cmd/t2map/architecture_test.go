package main

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the picture of docs/architecture.md and the manual pages anew")

const architecture = "architecture.md"

// The list of packages in docs/architecture.md has each package once and no others.
func TestPackagesOfArchitecture(t *testing.T) {
	text := readDoc(t, architecture)
	_, list, _ := strings.Cut(text, "## The packages\n")
	list, _, _ = strings.Cut(list, "\n## ")
	var listed []string
	for line := range strings.Lines(list) {
		if name, isRow := strings.CutPrefix(line, "| `"); isRow {
			name, _, _ = strings.Cut(name, "`")
			listed = append(listed, name)
		}
	}
	want := slices.Sorted(maps.Keys(goPackages(t)))
	want = slices.DeleteFunc(want, func(pkg string) bool { return pkg == "." })
	slices.Sort(listed)
	for _, pkg := range want {
		if !slices.Contains(listed, pkg) {
			t.Errorf("%s is not listed", pkg)
		}
	}
	for n, pkg := range listed {
		if !slices.Contains(want, pkg) {
			t.Errorf("%s is listed but does not exist", pkg)
		}
		if n > 0 && listed[n-1] == pkg {
			t.Errorf("%s is listed twice", pkg)
		}
	}
}

// The picture in docs/architecture.md shows the imports as they are.
func TestPictureOfArchitecture(t *testing.T) {
	const first, last = "```mermaid\n", "```\n"
	text := readDoc(t, architecture)
	before, rest, found := strings.Cut(text, first)
	old, after, ended := strings.Cut(rest, last)
	if !found || !ended {
		t.Fatal("docs/architecture.md has no picture")
	}
	picture := drawRooms(t, roomImports(t))
	if *update {
		text = before + first + picture + last + after
		if err := os.WriteFile(docPath(architecture), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if old != picture {
		t.Errorf("the picture differs from the imports; go test ./cmd/t2map -run Picture -update draws it anew:\n%s",
			picture)
	}
}

// roomImports returns, for each room, the rooms that it imports.
func roomImports(t *testing.T) map[string][]string {
	rooms := map[string][]string{}
	for pkg, files := range goPackages(t) {
		room := roomOf(pkg)
		if room == "." {
			continue
		}
		rooms[room] = append([]string{}, rooms[room]...) // a room without imports also has an entry
		for _, imports := range files {
			for _, imported := range imports {
				own, isOwn := strings.CutPrefix(imported, module)
				target := roomOf(own)
				if isOwn && target != room && !slices.Contains(rooms[room], target) {
					rooms[room] = append(rooms[room], target)
				}
			}
		}
	}
	return rooms
}

// roomOf returns the room of a package: its top-level folder. A package in the folder internal is a room of its own.
func roomOf(pkg string) string {
	top, below, _ := strings.Cut(pkg, "/")
	if top == "internal" {
		return top + "/" + below
	}
	return top
}

// drawRooms returns the rooms and their imports as a Mermaid flowchart. An arrow is omitted if the imported room is
// also reached through another arrow.
func drawRooms(t *testing.T, rooms map[string][]string) string {
	var picture strings.Builder
	picture.WriteString("flowchart TD\n")
	for _, room := range slices.Sorted(maps.Keys(rooms)) {
		if reaches(rooms, room, room, map[string]bool{}) {
			t.Errorf("%s imports itself through other packages", room)
			continue
		}
		direct := slices.DeleteFunc(slices.Sorted(slices.Values(rooms[room])), func(target string) bool {
			return slices.ContainsFunc(rooms[room], func(between string) bool {
				return between != target && reaches(rooms, between, target, map[string]bool{})
			})
		})
		if len(direct) == 0 {
			fmt.Fprintf(&picture, "  %s\n", room)
		} else {
			fmt.Fprintf(&picture, "  %s --> %s\n", room, strings.Join(direct, " & "))
		}
	}
	return picture.String()
}

// reaches reports whether there is a path of one arrow or more between two rooms.
func reaches(rooms map[string][]string, start, target string, visited map[string]bool) bool {
	for _, next := range rooms[start] {
		if next == target {
			return true
		}
		if !visited[next] {
			visited[next] = true
			if reaches(rooms, next, target, visited) {
				return true
			}
		}
	}
	return false
}

func docPath(name string) string { return filepath.Join(root, "docs", name) }

func readDoc(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(docPath(name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
