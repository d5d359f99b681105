package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/t2map/t2map/hint"
	"github.com/t2map/t2map/outfile"
	"github.com/t2map/t2map/printable"
	"github.com/t2map/t2map/protocol"
)

func protocolCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "protocol",
		Short: "Write and check the protocol of a trial",
		Long: `A protocol is a YAML file with the settings that must not differ between the studies of a
trial: how T2 is estimated, what masks mean, which acquisition is expected, and the limits of
quality control. 't2map run' and 't2map inspect' read it with --protocol.`,
		Args: usage(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(protocolInitCommand(), protocolCheckCommand(), protocolKeysCommand())
	return c
}

func protocolInitCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "init [FILE]",
		Short: "Write a protocol with all keys, their meaning and examples",
		Long: `init writes a protocol in which every key is commented out, below an explanation that
begins with ##. Remove the # of the keys that your trial needs. The default of FILE is
protocol.yaml; an existing file is kept.

Exit status: 0 if the file was written, 1 if it could not be written, 2 for invalid usage.`,
		Example: "  t2map protocol init\n  t2map protocol init trial-7.yaml",
		Args:    usage(cobra.MaximumNArgs(1)),
		RunE: func(c *cobra.Command, args []string) error {
			path := "protocol.yaml"
			if len(args) > 0 {
				path = args[0]
			}
			if err := writeTemplate(path, protocolTemplate()); err != nil {
				return err
			}
			fmt.Fprintf(c.OutOrStdout(), "%s is written: remove the # of the keys that your trial needs, then run\n"+
				"  t2map protocol check %s\n", printable.Line(path), printable.Line(path))
			return nil
		},
	}
}

// writeTemplate writes a file that does not exist yet.
func writeTemplate(path, text string) error {
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		return usageError{fmt.Errorf("%s exists already", printable.Line(path))}
	}
	return outfile.Replace(path, []byte(text))
}

// protocolTemplate returns a protocol in which every key is explained, in lines that begin with ##, and commented out
// with #.
func protocolTemplate() string {
	var b strings.Builder
	b.WriteString("## Protocol of a trial for 't2map run --protocol'. Remove the # of the keys that your trial needs.\n" +
		"## A key with keys of its own needs its own line, too, and their indentation.\n")
	writeKeys(&b, protocol.Keys, "")
	return b.String()
}

func writeKeys(b *strings.Builder, keys []protocol.Key, indent string) {
	for _, key := range keys {
		if indent == "" {
			b.WriteString("\n")
		}
		for _, line := range wrapWords(key.Meaning, 97-len(indent)) {
			b.WriteString("## " + indent + line + "\n")
		}
		b.WriteString(strings.TrimRight("# "+indent+key.Name+": "+key.Form, " ") + "\n")
		writeKeys(b, key.Keys, indent+"  ")
	}
}

func protocolCheckCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "check FILE",
		Short: "Check a protocol",
		Long: `check reads a protocol and the label scheme that it names, and reports the first mistake with
line and column. It prints the SHA-256 of the settings, as the tables have it if no flag
changes them. With a program that makes masks, the run determines it.

Exit status: 0 if the protocol is valid, 2 for invalid usage or input.`,
		Example: "  t2map protocol check protocol.yaml",
		Args:    usage(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, args []string) error {
			p, err := protocol.ReadProtocol(args[0])
			if err == nil {
				err = p.CheckUsed()
			}
			switch missing := new(protocol.MissingError); {
			case errors.As(err, &missing) && missing.Path == args[0]:
				return usageError{hint.Errorf("t2map protocol init writes one", "FILE: %w", missing)}
			case err != nil:
				return usageError{err}
			}
			fmt.Fprintf(c.OutOrStdout(), "%s is valid\n", printable.Line(args[0]))
			if fit, err := p.Fit.Resolve(); err == nil && !p.Segment.Named() { // a program is part of the settings
				fmt.Fprintf(c.OutOrStdout(), "SHA-256 of its settings: %s\n", p.Record(fit).SHA256)
			}
			return nil
		},
	}
}
