package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/t2map/t2map/trial"
)

// headingFlags are flags that override lines of a design, by key.
type headingFlags map[string]*string

// add adds a flag for each of the keys, or for all that need not name an endpoint. names has other names of flags than
// those of the keys.
func (f headingFlags) add(c *cobra.Command, names map[string]string, keys ...string) {
	for _, key := range trial.Keys {
		if key.Endpoint == trial.NamesEndpoint || len(keys) > 0 && !slices.Contains(keys, key.Name) {
			continue
		}
		name := strings.ReplaceAll(key.Name, " ", "-")
		if other := names[key.Name]; other != "" {
			name = other
		}
		text := new(string)
		f[key.Name] = text
		c.Flags().Var((*lineValue)(text), name, fmt.Sprintf("%s (example: %q)", key.Meaning, key.Form))
	}
}

// lineValue is the text of a line, which the help shows as value.
type lineValue string

func (v *lineValue) String() string { return string(*v) }

// Set takes any text: the plan checks it.
func (v *lineValue) Set(text string) error { *v = lineValue(text); return nil }

// Type is the name of the text in the help.
func (v *lineValue) Type() string { return "value" }

// heading returns the lines that were given.
func (f headingFlags) heading() (trial.Heading, error) {
	h := trial.Heading{}
	for key, text := range f {
		if *text == "" {
			continue
		}
		place := "--" + strings.ReplaceAll(key, " ", "-")
		if err := h.Set(key, trial.Line{Text: *text, Place: place}); err != nil {
			return h, err
		}
	}
	return h, nil
}
