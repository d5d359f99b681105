package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// protocol init writes every key commented out. Each of them is valid when its # is removed.
func TestProtocolInit(t *testing.T) {
	path := filepath.Join(t.TempDir(), "p.yaml")
	if code, out, errs := call("protocol", "init", path); code != exitOK || !strings.Contains(out, "protocol check") {
		t.Fatalf("%d, %s%s", code, out, errs)
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(raw)) {
		if line != "\n" && !strings.HasPrefix(line, "#") {
			t.Errorf("%q is not commented out", line)
		}
	}
	if code, _, errs := call("protocol", "check", path); code != exitUsage || !strings.Contains(errs, "no settings") {
		t.Errorf("an empty protocol: %d, %s", code, errs)
	}
	if code, _, errs := call("protocol", "init", path); code != exitUsage || !strings.Contains(errs, "exists already") {
		t.Errorf("an existing file: %d, %s", code, errs)
	}
	// Keys that need others: those of epg.
	needs := map[string]string{"t1_ms": "method: epg\n", "b1_range": "method: epg\n",
		"refocusing_profile": "method: epg\n",
		"fluid_edge_ms":      "fluid_ms: 90\n"}
	keys := 0
	for block := range strings.SplitSeq(string(raw), "\n\n") {
		text, top := "", ""
		for line := range strings.Lines(block + "\n") {
			if rest, found := strings.CutPrefix(line, "# "); found {
				if top == "" {
					top, _, _ = strings.Cut(rest, ":")
				}
				text += rest
			}
		}
		if top == "" {
			continue
		}
		keys++
		if err := os.WriteFile(path, []byte(needs[top]+text), 0o666); err != nil {
			t.Fatal(err)
		}
		if code, out, errs := call("protocol", "check", path); code != exitOK || !strings.Contains(out, "is valid") {
			t.Errorf("%s: %d, %s%s\n%s", top, code, out, errs, text)
		}
	}
	if keys != 33 {
		t.Errorf("%d keys", keys)
	}
}

// protocol check reports the first mistake with line and column, and the key that may be meant.
func TestProtocolCheckMistakes(t *testing.T) {
	path := filepath.Join(t.TempDir(), "p.yaml")
	for _, c := range []struct{ text, place, problem, advice string }{
		{"name: x\nskip_echos: 1\n", "line 2, column 1", `unknown key "skip_echos"`, "did you mean skip_echoes?"},
		{"name: x\nacquisition:\n  spacing_m: {value: 10}\n", "line 3, column 3", `unknown key "spacing_m"`,
			"did you mean spacing_ms?"},
		{"acquisition: {spacing_ms: {values: 10}}\n", "line 1, column 28", `unknown key "values"`, "did you mean value?"},
		{"quality: {snr_last: {warn: 5, least: 3}}\n", "line 1, column 31", `unknown key "least"`, "known are warn, fail"},
		{"quality: {voxels: {warn: 5, fail: 3}}\n", "line 1, column 29", `unknown key "fail"`, "known are warn, least"},
		{"name: x\nquality:\n  shift_px: {warn: 1, fail: 0.5}\n", "line 3, column 14", "fail is below warn", ""},
		{"quality:\n  snr_last:\n    fail: 6\n", "line 3, column 5", "fail is above warn", ""},
		{"quality: {voxels: {least: 250}}\n", "line 1, column 20", "least is above warn", ""},
		{"quality: {excluded_percent: {fail: 120}}\n", "line 1, column 30", "more than 100 %", ""},
		{"quality: {saturated_percent: -1}\n", "line 1, column 11", "not a limit", ""},
		{"quality: {t2_ms: [70, 20]}\n", "line 1, column 11", "not a range", ""},
		{"quality: {residual_chi2: .nan}\n", "line 1, column 11", "not a limit", ""},
		{"name: x\nmethod: magic\n", "line 2, column 1", `"magic"`, ""},
		{"layers: 11\n", "line 1, column 1", "not a number from 0 to 10", ""},
		{"name: x\nseries:\n  echoes: 7\n  side: both\n", "line 4, column 3", "not L or R", ""},
		{"acquisition:\n  echoes: 2\n", "line 2, column 3", "not a number from 3", ""},
		{"series: {echoes: 7}\nacquisition: {echoes: 8}\n", "line 1, column 10", "but series: echoes is 7", ""},
		{"acquisition: {spacing_ms: {value: -10}}\n", "line 1, column 28", "not above 0", ""},
		{"acquisition: {tr_ms: {value: 10, tolerance: 10}}\n", "line 1, column 34", "below the value", ""},
		{"acquisition: {field_t: {tolerance: 0.1}}\n", "line 1, column 25", "not above 0", ""},
		{"acquisition: {voxel_mm: {value: [0.3, 0.3]}}\n", "line 1, column 26", "2 numbers", ""},
		{"acquisition: {echoes: 7, deviation: fails}\n", "line 1, column 26", "neither flag nor fail",
			"did you mean fail?"},
		{"acquisition: {deviation: fail}\n", "line 1, column 1", "has no effect", ""},
		{"acquisition: {scanners: [\" \"]}\n", "line 1, column 15", "a pattern is empty", ""},
		{"reads: {use: sined}\n", "line 1, column 9", "not one of any, signed", "did you mean signed?"},
		{"reads:\n  repeats: 60 %\n", "line 2, column 3", "from 0 to 50", ""},
		{"reads: {repeats: some}\n", "line 1, column 9", "not a percentage", "write it as 10 %"},
		{"reads: {repeats: .nan}\n", "line 1, column 9", "not a percentage", ""},
		{"reads: {readers: 0}\n", "line 1, column 9", "from 1 to 20", ""},
		{"reads: {readers: 1.5}\n", "line 1, column 18", "whole number", ""},
		{"reads: {min_dice: 80}\n", "line 1, column 9", "at most 1", ""},
		{"reads: {min_dice: 0}\n", "line 1, column 9", "not above 0", "omit the key"},
		{"reads: {max_wcv_percent: .inf}\n", "line 1, column 9", "at most 100", ""},
		{"reads: {rejections: [motion, Motion]}\n", "line 1, column 9", "twice", ""},
		{"reads: {rejections: [\"\"]}\n", "line 1, column 9", "reason 1 is empty", ""},
		{"reads: {rejections: [\"a\\nb\"]}\n", "line 1, column 9", "one line", ""},
		{"reads: {rejections: [" + strings.Repeat("x", 61) + "]}\n", "line 1, column 9", "61 characters", ""},
		{"reads: {readres: 2}\n", "line 1, column 9", `unknown key "readres"`, "did you mean readers?"},
		{"register: {max_shift_mm: 5}\n", "", "have no effect", ""},
	} {
		if err := os.WriteFile(path, []byte(c.text), 0o666); err != nil {
			t.Fatal(err)
		}
		code, _, errs := call("protocol", "check", path)
		for _, want := range []string{c.place, c.problem, c.advice} {
			if code != exitUsage || !strings.Contains(errs, want) {
				t.Errorf("%q: %d, %s, want …%s…", c.text, code, errs, want)
			}
		}
	}
	if code, _, errs := call("protocol", "check", path+"x"); code != exitUsage || !strings.Contains(errs,
		"protocol init writes one") {
		t.Errorf("a missing file: %d, %s", code, errs)
	}
}

// check prints the hash of the settings; spelling out a default does not change it, and another limit does.
func TestProtocolHash(t *testing.T) {
	path := filepath.Join(t.TempDir(), "p.yaml")
	hash := func(text string) string {
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		_, out, errs := call("protocol", "check", path)
		found := regexp.MustCompile(`[0-9a-f]{64}`).FindString(out)
		if found == "" {
			t.Fatalf("%q: no hash in %s%s", text, out, errs)
		}
		return found
	}
	first := hash("scheme: skm-tea\n")
	for _, same := range []string{"scheme: skm-tea\nskip_echoes: 1\n", "scheme: skm-tea\nname: A\nseries: {number: 5}\n",
		"scheme: skm-tea\nquality: {snr_last: {warn: 5}, voxels: {least: 50}}\n", "scheme: skm-tea\nphilips_scaling: dv\n",
		"scheme: skm-tea\nmask_threshold: 0.5\nmaps: mask\n",
		"scheme: skm-tea\nreads: {use: signed, repeats: 10 %, max_wcv_percent: 3}\n"} {
		if hash(same) != first {
			t.Errorf("%q: another hash", same)
		}
	}
	for _, other := range []string{"scheme: imorphics\n", "scheme: skm-tea\nskip_echoes: 2\n", "scheme: skm-tea\n" +
		"quality: {snr_last: {warn: 6}}\n", "scheme: skm-tea\nacquisition: {echoes: 7}\n",
		"scheme: skm-tea\nacquisition: {echoes: 7, deviation: fail}\n", "scheme: skm-tea\nmask_threshold: 0.6\n",
		"scheme: skm-tea\nregister: {moving: \"5\"}\n", "scheme: skm-tea\nregister: {moving: \"5\", max_shift_mm: 20}\n"} {
		if hash(other) == first {
			t.Errorf("%q: the same hash", other)
		}
	}
}
