package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The flags for subjects and visits, as a user types them.
func TestIdentityFlags(t *testing.T) {
	dir := t.TempDir()
	few := []string{"PatientName", "PatientID", "SeriesDescription"}
	writePerson(t, filepath.Join(dir, "data", "KN-101", "V1", "dicom"), 0, few, "")
	writePerson(t, filepath.Join(dir, "data", "KN-102", "V1", "dicom"), 1, few, "")
	data, out, sheet := filepath.Join(dir, "data"), filepath.Join(dir, "out"), filepath.Join(dir, "m.csv")
	if err := os.WriteFile(sheet, []byte("folder;subject;visit\r\ndata\\KN-101;M\xfcller-Study 1;V1\r\n"),
		0o644); err != nil {
		t.Fatal(err)
	}
	tabs, empty := filepath.Join(dir, "t.csv"), filepath.Join(dir, "e.csv")
	for path, text := range map[string]string{tabs: "folder\tsubject\ndata/KN-101\tM-1\n", empty: "folder,subject\n"} {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	common := []string{"--scheme", "compartments", "--out", out}
	layout := []string{"--layout", "{subject}/{visit}"}
	for _, c := range []struct {
		name   string
		args   []string
		code   int
		says   string // on the screen
		tables string // in studies.csv, unless empty
	}{
		{"without names", nil, exitOK, "", "anon-"},
		{"a layout, where they are there by code", layout, exitFailed, "accept the new name with --rename", "anon-"},
		{"renamed", append([]string{"--rename"}, layout...), exitOK, "was moved to superseded/anon-", "KN-101,V1"},
		{"an encoding that is not declared", []string{"--manifest", sheet, "--separator", ";"}, exitUsage,
			"--encoding windows-1252", ""},
		{"a separator that is not declared", []string{"--manifest", sheet, "--encoding", "windows-1252"}, exitUsage,
			`--separator ';'`, ""},
		{"a manifest that selects", []string{"--manifest", sheet, "--separator", ";", "--encoding", "windows-1252",
			"--rename"}, exitOK, "1 study ignored, because no row of m.csv names its folder or one above it: " +
			"data/KN-102/V1/dicom", "Müller-Study 1"},
		{"a tab that is not declared", []string{"--manifest", tabs}, exitUsage, "--separator tab", ""},
		{"a tab", []string{"--manifest", tabs, "--separator", "tab", "--rename"}, exitOK, "", "M-1"},
		{"no rows", []string{"--manifest", empty}, exitUsage, "the table has no rows", ""},
		{"no separator", []string{"--manifest", sheet, "--separator", "ab"}, exitUsage, "is not one character", ""},
	} {
		code, stdout, stderr := call(append(append([]string{"run", data}, common...), c.args...)...)
		table, err := os.ReadFile(filepath.Join(out, "studies.csv"))
		if code != c.code || !strings.Contains(stdout+stderr, c.says) || err != nil ||
			!strings.Contains(string(table), c.tables) {
			t.Errorf("%s: status %d, %v\n%s%s\n%s", c.name, code, err, stdout, stderr, table)
		}
	}
	code, stdout, stderr := call("inspect", filepath.Join(data, "KN-101"), "--layout", "{subject}/{visit}")
	if code != exitOK || !strings.Contains(stdout, "subject KN-101, visit V1") ||
		!strings.Contains(stdout, "is matched from KN-101 on") {
		t.Errorf("%d\n%s%s", code, stdout, stderr)
	}
	code, stdout, stderr = call("inspect", data, "--accept-patient-id")
	if code != exitOK || !strings.Contains(stdout, "subject "+person) {
		t.Errorf("%d\n%s%s", code, stdout, stderr)
	}
	code, stdout, stderr = call("inspect", data, "--manifest", sheet, "--separator", ";", "--encoding", "windows-1252")
	if code != exitOK || !strings.Contains(stdout, "run would: ignore: not in the manifest") ||
		!strings.Contains(stdout, "note: 1 study ignored") {
		t.Errorf("%d\n%s%s", code, stdout, stderr)
	}
}
