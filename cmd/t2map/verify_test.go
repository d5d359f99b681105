package main

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/t2map/t2map/batch"
	"github.com/t2map/t2map/protocol"
)

// verify --refit finds the settings of each run in the record, and needs the files that its options name.
func TestVerifyRefit(t *testing.T) {
	dir := studies(t, 2)
	out := filepath.Join(t.TempDir(), "results")
	file := filepath.Join(t.TempDir(), "trial.yaml")
	if err := os.WriteFile(file, []byte("name: oai\nscheme: compartments\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if code, _, stderr := call("run", dir, "--out", out, "--protocol", file, "--t2-range", "0,120", "--maps", "mask",
		"--layout", "{subject}", "--workers", "1", "--quiet"); code != exitOK {
		t.Fatal(stderr)
	}
	refit := []string{"verify", out, "--studies", dir, "--refit"}
	expect := func(code int, stdout, stderr string) {
		t.Helper()
		gotCode, gotOut, gotErr := call(refit...)
		if gotCode != code || !strings.Contains(gotOut, stdout) || !strings.Contains(gotErr, stderr) {
			t.Errorf("exit status %d, %q, %q; want %d, %q, %q", gotCode, gotOut, gotErr, code, stdout, stderr)
		}
	}
	expect(exitOK, "2 results derived again: all as they were written", "")
	if err := os.WriteFile(file, []byte("name: oai\nscheme: compartments\nskip_echoes: 2\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	expect(exitFailed, "2 results derived again: 12 differences",
		"SA/study/result.json: protocol.skipped_echoes: 1, derived again 2")
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	expect(exitUsage, "", "hint: start the command in the folder in which run was started")
	refit = []string{"verify", out, "--refit"}
	expect(exitUsage, "", "--refit needs the inputs")
}

// Options that the record has give the settings that the flags gave.
func TestRecordedOptions(t *testing.T) {
	values := map[string]string{"scheme": "oai-zib", "mask": "*a b*.nrrd", "maps": "none", "manifest": "m.csv",
		"separator": "tab", "encoding": "windows-1252", "accept-patient-id": "true", "layout": "{subject}/{visit}",
		"series": "SAG *", "anatomy": "7", "philips-scaling": "fp", "skip-echoes": "0", "mask-threshold": "0.25",
		"mask-fraction": "0.75", "division": "none", "layers": "0", "register": "SAG 3D DESS",
		"allow-foreign-mask": "false", "method": "epg", "t2-range": "1,99.5", "sigma": "12.5", "echo-floor": "1.5",
		"t1": "1100", "b1-range": "0.5,1.1", "refocusing-profile": "1,0.9", "workers": "3"}
	var f studyFlags
	probe := &cobra.Command{}
	f.add(probe)
	f.addFit(probe)
	f.addMaps(probe)
	probe.Flags().VisitAll(func(flag *pflag.Flag) {
		if value, ok := values[flag.Name]; !ok && flag.Name != "protocol" {
			t.Errorf("--%s is not tested", flag.Name)
		} else if ok {
			if err := probe.Flags().Set(flag.Name, value); err != nil {
				t.Errorf("--%s %s: %v", flag.Name, value, err)
			}
		}
	})
	want, err := f.settings(probe, []string{"studies"})
	if err != nil {
		t.Fatal(err)
	}
	var options []string
	probe.Flags().Visit(func(f *pflag.Flag) { options = append(options, optionText(f)) })
	for option, want := range map[string]bool{"--out x": false, "--force true": false, "--memory 512": false,
		"--workers 2": false, "--scheme x y": true, "--option-of-a-later-version 1": true} {
		if changesResults(option) != want {
			t.Errorf("%s may change a result: %v", option, !want)
		}
	}
	got, err := recordedSettings(options, []string{"studies"}, 3)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%+v\nwant %+v", got, want)
	}
	if reflect.DeepEqual(want.Protocol, protocol.Protocol{}) || want.Protocol.AllowForeignMask {
		t.Errorf("%+v", want.Protocol)
	}
	if _, err := recordedSettings([]string{"--option-of-a-later-version 1"}, nil, 0); err == nil {
		t.Error("an unknown option is accepted")
	}
	var none batch.Settings
	if got, err := recordedSettings(nil, nil, 0); err != nil || !reflect.DeepEqual(got.Protocol, none.Protocol) {
		t.Errorf("%+v, %v", got, err)
	}
}
