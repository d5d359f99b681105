package main

import (
	"bytes"
	"encoding/json"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"

	"github.com/t2map/t2map/pipeline"
)

func TestVersion(t *testing.T) {
	print := func(args ...string) string {
		t.Helper()
		var out, errs bytes.Buffer
		if code := execute(t.Context(), args, &out, &errs); code != exitOK || errs.Len() > 0 {
			t.Fatal(args, code, errs.String())
		}
		return out.String()
	}
	text := print("version")
	first, rest, _ := strings.Cut(text, "\n")
	if first != "t2map version "+pipeline.Version || print("--version") != first+"\n" {
		t.Errorf("%q and %q", first, print("--version"))
	}
	for _, want := range []string{"commit ", "go        " + runtime.Version(), runtime.GOOS + "/" + runtime.GOARCH} {
		if !strings.Contains(rest, want) {
			t.Errorf("%q lacks %q", rest, want)
		}
	}
	var got build
	if err := json.Unmarshal([]byte(print("version", "--json")), &got); err != nil || got != thisBuild() {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestDescribeBuild(t *testing.T) {
	const commit = "0d70de2c0ffee00d70de2c0ffee00d70de2c0ffe"
	revision := debug.BuildSetting{Key: "vcs.revision", Value: commit}
	for _, c := range []struct {
		info debug.BuildInfo
		want string // the second and third line
	}{
		{debug.BuildInfo{}, "commit    unknown\ngo        go1.26.0\n"},
		{debug.BuildInfo{Main: debug.Module{Version: "(devel)"}, Settings: []debug.BuildSetting{revision}},
			"commit    " + commit + "\ngo        go1.26.0\n"},
		{debug.BuildInfo{Settings: []debug.BuildSetting{revision, {Key: "vcs.modified", Value: "true"}}},
			"commit    " + commit + ", modified\ngo        go1.26.0\n"},
		{debug.BuildInfo{Main: debug.Module{Version: "v0.4.0"}, Settings: []debug.BuildSetting{
			revision, {Key: "vcs.modified", Value: "false"}}},
			"commit    " + commit + "\nmodule    v0.4.0\ngo        go1.26.0\n"},
	} {
		c.info.GoVersion = "go1.26.0"
		if got := describeBuild(&c.info).String(); !strings.Contains(got, "\n"+c.want+"platform  ") {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
}
