package main

import (
	"encoding/json"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/t2map/t2map/pipeline"
)

// build describes this program, for reports of errors and for the records of a validated system.
type build struct {
	// Version is the version in results.
	Version string `json:"version"`
	// Commit is the hash of the source's commit, or "" if the program was built without one, and Modified whether the
	// source differed from it.
	Commit   string `json:"commit"`
	Modified bool   `json:"modified"`
	// Module is the version of the module if 'go install' fetched it, or "".
	Module string `json:"module"`
	Go     string `json:"go"`
	// Platform is the operating system and the architecture, such as linux/amd64.
	Platform string `json:"platform"`
}

// thisBuild describes the running program.
func thisBuild() build {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		info = &debug.BuildInfo{GoVersion: runtime.Version()}
	}
	return describeBuild(info)
}

func describeBuild(info *debug.BuildInfo) build {
	b := build{Version: pipeline.Version, Go: info.GoVersion, Platform: runtime.GOOS + "/" + runtime.GOARCH}
	if info.Main.Version != "(devel)" {
		b.Module = info.Main.Version
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			b.Commit = s.Value
		case "vcs.modified":
			b.Modified = s.Value == "true"
		}
	}
	return b
}

// versionLine is the first line of 't2map version', and all of 't2map --version'.
func versionLine() string { return "t2map version " + pipeline.Version }

func (b build) String() string {
	commit := b.Commit
	switch {
	case commit == "":
		commit = "unknown"
	case b.Modified:
		commit += ", modified"
	}
	text := fmt.Sprintf("%s\ncommit    %s\n", versionLine(), commit)
	if b.Module != "" {
		text += fmt.Sprintf("module    %s\n", b.Module)
	}
	return text + fmt.Sprintf("go        %s\nplatform  %s\n", b.Go, b.Platform)
}

func versionCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "version",
		Short: "Print the version, the commit, and how the program was built",
		Long: `version prints the version that results record, the commit of the source, the version of Go,
and the platform. The commit is unknown if the program was built outside a repository.`,
		Example: "  t2map version\n  t2map version --json",
		Args:    usage(cobra.NoArgs),
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON, for programs")
	c.RunE = func(c *cobra.Command, _ []string) error {
		if !asJSON {
			_, err := fmt.Fprint(c.OutOrStdout(), thisBuild())
			return err
		}
		e := json.NewEncoder(c.OutOrStdout())
		e.SetIndent("", "  ")
		return e.Encode(thisBuild())
	}
	return c
}
