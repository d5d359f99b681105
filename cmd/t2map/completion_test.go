package main

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/t2map/t2map/segment"
	"github.com/t2map/t2map/t2fit"
	"github.com/t2map/t2map/trial"
)

// completions asks the program as the scripts of shells do. It returns the values without descriptions, and the
// directive.
func completions(t *testing.T, args ...string) (values []string, directive string) {
	t.Helper()
	var out, errs bytes.Buffer
	if code := execute(t.Context(), append([]string{"__complete"}, args...), &out, &errs); code != exitOK {
		t.Fatal(args, code, errs.String())
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	for _, line := range lines[:len(lines)-1] {
		value, _, _ := strings.Cut(line, "\t")
		values = append(values, value)
	}
	return values, lines[len(lines)-1]
}

// The directives of cobra, which its scripts for shells know.
const (
	offersFiles      = ":0"
	offersNothing    = ":4"
	offersExtensions = ":8"
	offersFolders    = ":16"
)

func TestCompletion(t *testing.T) {
	for _, c := range []struct {
		line      string
		want      []string
		directive string
	}{
		{"run studies --method ", texts(t2fit.Methods), offersNothing},
		{"run studies --method r", []string{"rician"}, offersNothing},
		{"inspect studies --method=ri", []string{"rician"}, offersNothing},
		{"run studies --scheme ", segment.Names(), offersFiles},
		{"run studies --scheme ours.y", nil, offersFiles},
		{"compare-masks a b --scheme oai", []string{"oai-zib"}, offersFiles},
		{"run studies --maps ", []string{"full", "mask", "none"}, offersNothing},
		{"run studies --division k", []string{"knee"}, offersNothing},
		{"run studies --philips-scaling ", []string{"dv", "fp"}, offersNothing},
		{"run studies --sigma ", []string{"residuals", "background"}, offersNothing},
		{"run studies --protocol ", []string{"yaml", "yml"}, offersExtensions},
		{"run studies --manifest ", []string{"csv", "tsv", "txt"}, offersExtensions},
		{"run studies --out ", nil, offersFolders},
		{"inspect studies --write-grid ", nil, offersFolders},
		{"run studies --layout ", nil, offersNothing},
		{"run studies --skip-echoes ", nil, offersNothing},
		{"run ", nil, offersFiles},
		{"run studies ", nil, offersFiles},
		{"tables ", nil, offersFolders},
		{"tables results ", nil, offersNothing},
		{"demo ", nil, offersFolders},
		{"version ", nil, offersNothing},
		{"trial results --covariance ", []string{"unstructured", "hcs", "ar1", "cs"}, offersNothing},
		{"trial results --df s", []string{"satterthwaite"}, offersNothing},
		{"trial results --summary ", []string{"mean", "median"}, offersNothing},
		{"trial results --baseline ", []string{"by visit", "common"}, offersNothing},
		{"trial results --design ", []string{"csv", "tsv", "txt"}, offersExtensions},
		{"trial results --plan ", []string{"yaml", "yml"}, offersExtensions},
		{"trial results --repeatability ", []string{"csv", "tsv", "txt"}, offersExtensions},
		{"trial results --decimal ", []string{"point", "comma"}, offersNothing},
		{"trial plan check ", []string{"yaml", "yml"}, offersExtensions},
		{"power --covariance a", []string{"ar1"}, offersNothing},
		{"compare-masks ", nil, offersFiles},
		{"compare-masks a ", nil, offersFiles},
		{"compare-masks a b ", nil, offersNothing},
		{"reads ", nil, offersFolders},
		{"reads results ", nil, offersNothing},
		{"reads results --protocol ", []string{"yaml", "yml"}, offersExtensions},
		{"reads results --out ", nil, offersFolders},
		{"vers", []string{"version"}, offersNothing},
		{"completion f", []string{"fish"}, offersNothing},
	} {
		values, directive := completions(t, strings.Split(c.line, " ")...)
		if !slices.Equal(values, c.want) || directive != c.directive {
			t.Errorf("%q: %q %s, want %q %s", c.line, values, directive, c.want, c.directive)
		}
	}
}

// A value that a shell offers is accepted.
func TestCompletedValuesAreAccepted(t *testing.T) {
	studies := t.TempDir()
	inspect, _, err := rootCommand().Find([]string{"inspect"})
	if err != nil {
		t.Fatal(err)
	}
	for name, values := range flagValues {
		if inspect.Flags().Lookup(name) == nil {
			continue
		}
		for _, v := range values {
			args := []string{"inspect", studies, "--" + name, v}
			var out, errs bytes.Buffer
			// An empty folder has no studies; a value that is not known is found before the search.
			if code := execute(t.Context(), args, &out, &errs); code != exitNothing {
				t.Errorf("%q: exit status %d: %s", args, code, errs.String())
			}
		}
	}
	for _, key := range trial.Keys {
		for _, v := range key.Values {
			name := key.Name
			if key.Endpoint == trial.NamesEndpoint {
				name += "[WOMAC]"
			}
			if _, err := trial.CheckPlan(trial.Source{Name: "plan.yaml", Data: []byte(name + ": " + v + "\n")}); err != nil {
				t.Errorf("%s: %s: %v", name, v, err)
			}
			if !strings.Contains(key.Meaning, v) && key.Endpoint == trial.NoEndpoint {
				t.Errorf("the meaning of %s lacks %s", key.Name, v)
			}
		}
	}
}

// Every flag with a text has values, files or folders to offer, or is known to have none.
func TestEveryFlagIsCompleted(t *testing.T) {
	used := map[string]bool{}
	keys := map[string]bool{"study-visits": true} // flags that are lines of a plan take texts
	for _, key := range trial.Keys {
		keys[strings.ReplaceAll(key.Name, " ", "-")] = true
	}
	var visit func(c *cobra.Command)
	visit = func(c *cobra.Command) {
		c.LocalFlags().VisitAll(func(f *pflag.Flag) {
			used[f.Name] = true
			isText := strings.HasPrefix(f.Value.Type(), "string")
			if !isText || keys[f.Name] || flagValues[f.Name] != nil || slices.Contains(freeFlags, f.Name) {
				return
			}
			_, directive := flagCompletion(f)(c, nil, "")
			if directive == cobra.ShellCompDirectiveNoFileComp {
				t.Errorf("%s --%s: add its values to flagValues, or its name to freeFlags", c.CommandPath(), f.Name)
			}
		})
		for _, sub := range c.Commands() {
			visit(sub)
		}
	}
	visit(rootCommand())
	for _, name := range freeFlags {
		if !used[name] {
			t.Errorf("freeFlags has %s, which is not a flag", name)
		}
	}
	for name := range flagValues {
		if !used[name] && name != "scale" {
			t.Errorf("flagValues has %s, which is not a flag", name)
		}
	}
}

// The scripts of all shells call the program.
func TestCompletionScripts(t *testing.T) {
	for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
		var out, errs bytes.Buffer
		if code := execute(t.Context(), []string{"completion", shell}, &out, &errs); code != exitOK ||
			!strings.Contains(out.String(), "__complete") || !strings.Contains(out.String(), "t2map") {
			t.Errorf("%s: exit status %d, %d bytes: %s", shell, code, out.Len(), errs.String())
		}
	}
}
