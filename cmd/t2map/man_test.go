package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cpuguy83/go-md2man/v2/md2man"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/t2map/t2map/pipeline"
)

// The manual pages in docs/man are complete and current.
func TestManPages(t *testing.T) {
	pages := map[string][]byte{}
	top := rootCommand()
	top.InitDefaultCompletionCmd()
	manPages(top, pages)
	dir := filepath.Join(root, "docs", "man")
	if *update {
		if err := os.RemoveAll(dir); err != nil {
			t.Fatal(err)
		}
		if err := os.Mkdir(dir, 0o777); err != nil {
			t.Fatal(err)
		}
		for name, page := range pages {
			if err := os.WriteFile(filepath.Join(dir, name), page, 0o666); err != nil {
				t.Fatal(err)
			}
		}
	}
	const advice = "; go test ./cmd/t2map -run ManPages -update writes docs/man anew"
	for name, page := range pages {
		if got, err := os.ReadFile(filepath.Join(dir, name)); err != nil {
			t.Error(err, advice)
		} else if string(got) != string(page) {
			t.Errorf("%s differs from the command%s", name, advice)
		}
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if pages[e.Name()] == nil {
			t.Errorf("%s belongs to no command%s", e.Name(), advice)
		}
	}
}

// groff formats the pages without warnings, and shows texts as the help does.
func TestManPagesAreFormatted(t *testing.T) {
	if _, err := exec.LookPath("groff"); err != nil {
		t.Skip("groff is not installed")
	}
	pages, err := filepath.Glob(filepath.Join(root, "docs", "man", "*.1"))
	if err != nil || len(pages) < 10 {
		t.Fatal(len(pages), err)
	}
	for _, page := range pages {
		format := exec.Command("groff", "-man", "-Tutf8", "-P-cbou", "-Kutf8", "-ww", page)
		var warnings strings.Builder
		format.Stderr = &warnings
		text, err := format.Output()
		if err != nil || warnings.Len() > 0 {
			t.Errorf("%s: %v %s", filepath.Base(page), err, warnings.String())
		}
		if filepath.Base(page) != "t2map-run.1" {
			continue
		}
		words := strings.Join(strings.Fields(string(text)), " ")
		for _, want := range []string{
			"t2map-run - Map every study", "--out folder", "SUBJECT/VISIT/ T2, S0, R² and standard error as NIfTI",
			"(default: *label*, *mask* or *seg* in NIfTI", "--register 'SAG*DESS*'", "'{subject}/{visit}'",
			"--skip-echoes number number of echoes", "(default 1)", "Exit status: 0 all studies",
		} {
			if !strings.Contains(words, want) {
				t.Errorf("%s lacks %q:\n%s", filepath.Base(page), want, text)
			}
		}
	}
}

// manPages adds the page of a command, and those of the commands below it, by file name.
func manPages(c *cobra.Command, pages map[string][]byte) {
	c.InitDefaultHelpFlag()
	c.InitDefaultVersionFlag()
	pages[pageName(c)+".1"] = md2man.Render([]byte(manMarkdown(c)))
	for _, sub := range c.Commands() {
		if sub.IsAvailableCommand() {
			manPages(sub, pages)
		}
	}
}

func pageName(c *cobra.Command) string { return strings.ReplaceAll(c.CommandPath(), " ", "-") }

// manMarkdown is the page of a command in the Markdown of md2man. It has no date, so that it changes with the command
// only.
func manMarkdown(c *cobra.Command) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%% \"%s\" \"1\" \"\" \"t2map %s\" \"t2map\"\n", strings.ToUpper(pageName(c)), pipeline.Version)
	fmt.Fprintf(&b, "# NAME\n%s - %s\n\n", pageName(c), literal(c.Short))
	fmt.Fprintf(&b, "# SYNOPSIS\n%s\n\n", literal(c.UseLine()))
	if c.HasAvailableSubCommands() && c.Runnable() {
		fmt.Fprintf(&b, "%s\n\n", literal(c.CommandPath()+" [command]"))
	}
	b.WriteString("# DESCRIPTION\n" + paragraphs(c.Long))
	b.WriteString("# OPTIONS\n")
	c.NonInheritedFlags().VisitAll(func(f *pflag.Flag) {
		if f.Hidden {
			return
		}
		word, usage := pflag.UnquoteUsage(f)
		term := "**--" + f.Name + "**"
		if f.Shorthand != "" {
			term = "**-" + f.Shorthand + "**, " + term
		}
		if word != "" {
			term += " *" + literal(word) + "*"
		}
		if d := f.DefValue; !slices.Contains([]string{"", "0", "false", "[]"}, d) {
			usage += " (default " + d + ")"
		}
		fmt.Fprintf(&b, "%s\n: %s\n\n", term, literal(usage))
	})
	if c.Example != "" {
		fmt.Fprintf(&b, "# EXAMPLES\n```\n%s\n```\n\n", c.Example)
	}
	fmt.Fprintf(&b, "# SEE ALSO\n%s\n", strings.Join(related(c), ", "))
	return b.String()
}

// related returns the pages above and below a command; for the first page, all.
func related(c *cobra.Command) []string {
	var pages []string
	page := func(c *cobra.Command) { pages = append(pages, "**"+pageName(c)+"**(1)") }
	c.VisitParents(page)
	for _, sub := range c.Commands() {
		if sub.IsAvailableCommand() {
			page(sub)
		}
	}
	return pages
}

// paragraphs converts a help text. Blocks with indented lines, such as tables of files, keep their lines.
func paragraphs(text string) string {
	var b strings.Builder
	for block := range strings.SplitSeq(strings.TrimSpace(text), "\n\n") {
		if strings.Contains("\n"+block, "\n ") || strings.Contains(block, "\t") {
			fmt.Fprintf(&b, "```\n%s\n```\n\n", block)
			continue
		}
		b.WriteString(literal(block) + "\n\n")
	}
	return b.String()
}

// literal escapes the signs of Markdown.
func literal(text string) string {
	return strings.NewReplacer(`\`, `\\`, "`", "\\`", "*", `\*`, "_", `\_`, "[", `\[`, "]", `\]`, "<", `\<`, ">", `\>`,
		"#", `\#`, "~", `\~`, "&", `\&`, "{", `\{`, "}", `\}`).Replace(text)
}
