package main

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/t2map/t2map/dicomio"
	"github.com/t2map/t2map/protocol"
	"github.com/t2map/t2map/reader/gate"
	"github.com/t2map/t2map/segment"
	"github.com/t2map/t2map/t2fit"
	"github.com/t2map/t2map/trial"
)

// flagValues are the values that shells offer for flags, by the flag's name.
var flagValues = func() map[string][]string {
	values := map[string][]string{
		"method":          texts(t2fit.Methods),
		"scheme":          segment.Names(), // or a YAML file
		"sigma":           texts([]t2fit.SigmaSource{t2fit.FromResiduals, t2fit.FromBackground}),
		"division":        texts([]protocol.DivisionMethod{protocol.DivideKnee, protocol.DivideNone}),
		"maps":            texts([]protocol.Maps{protocol.MapsFull, protocol.MapsMask, protocol.MapsNone}),
		"philips-scaling": texts([]dicomio.PhilipsScaling{dicomio.DisplayValues, dicomio.FloatingPoint}),
		"separator":       {",", ";", "tab"},
		"decimal":         {"point", "comma"},
		"encoding":        {"utf-8", "windows-1252", "utf-16le", "utf-16be"},
		"two-studies":     {"none", "mean"},
		"role":            texts([]gate.Role{gate.Reader, gate.Adjudicator, gate.Manager}),
	}
	for _, key := range trial.Keys {
		if len(key.Values) > 0 {
			values[strings.ReplaceAll(key.Name, " ", "-")] = key.Values
		}
	}
	return values
}()

// freeFlags are the flags with texts that no list can hold, by name. For these, shells offer nothing.
var freeFlags = []string{"mask", "register", "layout", "series", "anatomy", "t2-range", "b1-range",
	"refocusing-profile", "endpoint", "scan", "rescan", "rows", "panel", "display-range", "shard", "name", "partition",
	"account", "time", "reader", "addr", "host", "sbatch", "image", "namespace", "volume", "secret"}

func texts[T ~string](values []T) []string {
	var out []string
	for _, v := range values {
		out = append(out, string(v))
	}
	return out
}

// complete tells shells what flags and arguments may be, for the command and all below it.
func complete(c *cobra.Command) {
	c.LocalNonPersistentFlags().VisitAll(func(f *pflag.Flag) {
		if _, exists := c.GetFlagCompletionFunc(f.Name); exists || f.Value.Type() == "bool" {
			return
		}
		// It fails only for flags that do not exist or have a completion.
		_ = c.RegisterFlagCompletionFunc(f.Name, flagCompletion(f))
	})
	if c.ValidArgsFunction == nil {
		c.ValidArgsFunction = argumentCompletion(c)
	}
	for _, sub := range c.Commands() {
		complete(sub)
	}
}

// flagCompletion returns the completion of a flag: its values, or files or folders, as the word for its value and the
// word before this say.
func flagCompletion(f *pflag.Flag) cobra.CompletionFunc {
	word, usage := pflag.UnquoteUsage(f)
	values, known := flagValues[f.Name]
	switch {
	case f.Name == "scheme": // shells offer files if no value fits
		return oneOf(values, cobra.ShellCompDirectiveDefault)
	case known:
		return oneOf(values, cobra.ShellCompDirectiveNoFileComp)
	case word == "folder" || word == "DIR":
		return folders
	case strings.HasPrefix(usage, "CSV file"), strings.HasSuffix(word, ".csv"):
		return filesEnding("csv", "tsv", "txt")
	case strings.HasPrefix(usage, "YAML file"):
		return filesEnding("yaml", "yml")
	case word == "file":
		return anyFile
	}
	return cobra.NoFileCompletions
}

// argumentCompletion returns the completion of a command's arguments, as its line of usage names them: DIR is a folder,
// FILE a YAML file. STUDIES, RESULTS and masks are folders or files.
func argumentCompletion(c *cobra.Command) cobra.CompletionFunc {
	names := strings.FieldsFunc(c.Use, func(r rune) bool { return strings.ContainsRune(" []", r) })[1:]
	if end := slices.IndexFunc(names, func(n string) bool { return strings.HasPrefix(n, "-") }); end >= 0 {
		names = names[:end]
	}
	if len(names) == 0 {
		return cobra.NoFileCompletions
	}
	return func(_ *cobra.Command, args []string, text string) ([]string, cobra.ShellCompDirective) {
		repeated := strings.HasSuffix(names[len(names)-1], "...")
		if len(args) >= len(names) && !repeated {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		switch names[min(len(args), len(names)-1)] {
		case "DIR":
			return folders(c, args, text)
		case "FILE":
			return filesEnding("yaml", "yml")(c, args, text)
		}
		return nil, cobra.ShellCompDirectiveDefault
	}
}

// oneOf offers the values that begin with the text.
func oneOf(values []string, directive cobra.ShellCompDirective) cobra.CompletionFunc {
	return func(_ *cobra.Command, _ []string, text string) ([]string, cobra.ShellCompDirective) {
		var fit []string
		for _, v := range values {
			if strings.HasPrefix(v, text) {
				fit = append(fit, v)
			}
		}
		return fit, directive
	}
}

func folders(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return nil, cobra.ShellCompDirectiveFilterDirs
}

func anyFile(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return nil, cobra.ShellCompDirectiveDefault
}

// filesEnding offers folders, and files with one of the extensions.
func filesEnding(extensions ...string) cobra.CompletionFunc {
	return func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return extensions, cobra.ShellCompDirectiveFilterFileExt
	}
}
