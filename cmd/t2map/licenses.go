package main

import (
	_ "embed"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/t2map/t2map/dicomio"
	"github.com/t2map/t2map/register"
)

// notice is the NOTICE at the top of the repository, which cannot be embedded from
// there; moduleLicences are the licences of the Go modules.
var (
	//go:embed licenses/NOTICE
	notice string
	//go:embed licenses/modules.txt
	moduleLicences string
)

func licensesCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "licenses",
		Short:   "Print the licences of third-party code in t2map",
		Long:    "licenses prints the list of third-party code that t2map contains, and the licences of all of it.",
		Example: "  t2map licenses",
		Args:    usage(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			_, err := io.WriteString(c.OutOrStdout(), strings.Join([]string{notice, dicomio.Licences(), register.Licences(), moduleLicences}, "\n\n"))
			return err
		},
	}
}
