package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/t2map/t2map/hint"
	"github.com/t2map/t2map/printable"
	"github.com/t2map/t2map/protocol"
)

func protocolKeysCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "keys [KEY...]",
		Short: "Explain the keys of a protocol",
		Long: `keys prints what keys of a protocol decide, with an example and the default. A key below
another one is named with a dot, as in quality.snr_last. Without arguments it explains all
keys. Shell completion offers their names.

Exit status: 0 if all keys are known, 2 for invalid usage.`,
		Example: "  t2map protocol keys\n  t2map protocol keys method acquisition",
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) == 0 {
				printKeys(c.OutOrStdout(), protocol.Keys, "")
				return nil
			}
			for _, name := range args {
				key, ok := findKey(protocol.Keys, name)
				if !ok {
					return usageError{hint.Errorf(hint.Nearest(name, keyNames(protocol.Keys, "")), "%s is not a key of a protocol", printable.Short(name))}
				}
				prefix := strings.TrimSuffix(name, key.Name)
				printKeys(c.OutOrStdout(), []protocol.Key{key}, prefix)
			}
			return nil
		},
		ValidArgsFunction: oneOf(keyNames(protocol.Keys, ""), cobra.ShellCompDirectiveNoFileComp),
	}
}

// keyNames returns the names of keys and of the keys below them, with dots.
func keyNames(keys []protocol.Key, prefix string) []string {
	var names []string
	for _, key := range keys {
		names = append(names, prefix+key.Name)
		names = append(names, keyNames(key.Keys, prefix+key.Name+".")...)
	}
	return names
}

// findKey returns the key with a name as in keyNames.
func findKey(keys []protocol.Key, name string) (protocol.Key, bool) {
	first, rest, below := strings.Cut(name, ".")
	for _, key := range keys {
		switch {
		case key.Name != first:
		case below:
			return findKey(key.Keys, rest)
		default:
			return key, true
		}
	}
	return protocol.Key{}, false
}

// printKeys explains keys and the keys below them.
func printKeys(w io.Writer, keys []protocol.Key, prefix string) {
	for _, key := range keys {
		fmt.Fprintln(w, strings.TrimRight(prefix+key.Name+": "+key.Form, " "))
		for _, line := range wrapWords(key.Meaning, 92) {
			fmt.Fprintln(w, "    "+line)
		}
		printKeys(w, key.Keys, prefix+key.Name+".")
	}
}
