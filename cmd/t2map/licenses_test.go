package main

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// NOTICE and its embedded copy are equal, and name every module in the program, on any system.
func TestNotice(t *testing.T) {
	top, err := os.ReadFile(filepath.Join("..", "..", "NOTICE"))
	if err != nil {
		t.Fatal(err)
	}
	if string(top) != notice {
		t.Error("NOTICE and cmd/t2map/licenses/NOTICE differ")
	}
	for _, system := range []string{"linux", "windows", "darwin"} {
		list := exec.Command("go", "list", "-deps", "-f", "{{with .Module}}{{.Path}}{{end}}", ".")
		list.Env = append(os.Environ(), "GOOS="+system, "CGO_ENABLED=0")
		out, err := list.Output()
		if err != nil {
			t.Skip("go is not installed: ", err)
		}
		modules := strings.Fields(string(out))
		slices.Sort(modules)
		for _, m := range slices.Compact(modules) {
			if m+"/" == module {
				continue
			}
			if !strings.Contains(notice, "\n"+m+" ") {
				t.Errorf("%s: NOTICE lacks %s", system, m)
			}
			if !strings.Contains(moduleLicences, "=\n"+m+"\n=") {
				t.Errorf("%s: licenses/modules.txt lacks %s", system, m)
			}
		}
	}
}

// NOTICE names every package that the page is bundled with.
func TestNoticeOfPage(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "reader", "gen", "packages.json"))
	if err != nil {
		t.Fatal(err)
	}
	var packages []struct{ Name string }
	if err := json.Unmarshal(text, &packages); err != nil {
		t.Fatal(err)
	}
	for _, p := range packages {
		if !strings.Contains(notice, "\n"+p.Name+" ") || !strings.Contains(pageLicences, "=\n"+p.Name+"\n=") {
			t.Errorf("NOTICE or licenses/page.txt lacks %s", p.Name)
		}
	}
}

func TestLicenses(t *testing.T) {
	var out, errs bytes.Buffer
	if code := execute(t.Context(), []string{"licenses"}, &out, &errs); code != exitOK {
		t.Fatal(code, errs.String())
	}
	for _, want := range []string{
		"This software is based in part on the work of the Independent JPEG Group.",
		"OpenJPEG", "CharLS", "elastix", "HDF5", "github.com/tetratelabs/wazero", "Copyright (c) 2021, Niivue",
		"Leon Sorokin",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is not in it", want)
		}
	}
}
