package main

import (
	_ "embed"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/t2map/t2map/dicomio"
	"github.com/t2map/t2map/register"
)

// notice is a copy of NOTICE at the root of the repository, which cannot be embedded from there. moduleLicences holds
// the licences of the Go modules, and pageLicences those of the packages in the reader's page.
var (
	//go:embed licenses/NOTICE
	notice string
	//go:embed licenses/modules.txt
	moduleLicences string
	//go:embed licenses/page.txt
	pageLicences string
)

func licensesCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "licenses",
		Short:   "Print third-party licences",
		Long:    "licenses lists the third-party code in t2map and prints its licences.",
		Example: "  t2map licenses",
		Args:    usage(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			_, err := io.WriteString(c.OutOrStdout(), strings.Join([]string{notice, dicomio.Licences(),
				register.Licences(), moduleLicences, pageLicences}, "\n\n"))
			return err
		},
	}
}
