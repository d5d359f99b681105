package main

import (
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/t2map/t2map/batch"
	"github.com/t2map/t2map/printable"
	"github.com/t2map/t2map/reads"
	"github.com/t2map/t2map/report"
)

func unblindCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "unblind DIR",
		Short: "Show which study each code of a blinded reader stands for",
		Long: `unblind opens the seed of the reads in DIR, a folder of results that readers read with t2map read --blind,
and prints a CSV table: for each reader and code the subject, the visit and the number of the hidden repeat,
0 for the first read. The table has all reads, and drawings that are not signed, but not the studies that a
reader has not begun.

From then on the record of the folder, audit.jsonl, says when the reads were unblinded and by whom, and
t2map read refuses --blind: unblind when all reads are signed.

Exit status: 0 the codes are shown, 1 an error, 2 usage.`,
		Example: "  t2map unblind results > codes.csv",
		Args:    usage(cobra.ExactArgs(1)),
		RunE:    func(c *cobra.Command, args []string) error { return unblind(c, args[0]) },
	}
}

func unblind(c *cobra.Command, results string) error {
	if err := checkReads(results); err != nil {
		return err
	}
	archive := reads.Look(results)
	readers, err := archive.Readers()
	if err != nil {
		return err
	}
	store, err := reads.Open(results)
	if err != nil {
		return err
	}
	defer store.Close()
	blinding, err := store.Unblind()
	if err != nil {
		return err
	}
	folders, _, err := batch.Folders(results)
	if err != nil {
		return err
	}
	columns := []string{"reader", "code", "subject", "visit", "repeat", "study", "series"}
	var rows [][]string
	for _, reader := range readers {
		keys, err := archive.Keys(reader)
		if err != nil {
			return err
		}
		draftCodes, err := blinding.Codes(reader, keys)
		if err != nil {
			return err
		}
		for _, k := range keys {
			codes, err := codesOf(archive, reader, k, draftCodes[k])
			if err != nil {
				return err
			}
			var id report.Result // without a result, subject and visit are empty
			if dir := folders[[2]string{k.Study, k.Series}]; dir != "" && len(codes) > 0 {
				if id, err = report.ReadResult(filepath.Join(dir, report.ResultFile)); err != nil {
					return err
				}
			}
			for _, code := range codes {
				rows = append(rows, []string{reader, code, id.Subject, id.Visit, strconv.Itoa(k.Repeat), k.Study, k.Series})
			}
		}
	}
	slices.SortFunc(rows, func(x, y []string) int { return strings.Compare(strings.Join(x, "\x00"), strings.Join(y, "\x00")) })
	fmt.Fprint(c.OutOrStdout(), string(printable.CSV(columns, rows)))
	return nil
}

// codesOf returns the codes that a reader saw of a study: those in the reads, none if the reads were not blinded, and that
// of a drawing without a read.
func codesOf(archive reads.Archive, reader string, k reads.Key, draftCode string) ([]string, error) {
	all, err := archive.Reads(reader, k)
	if err != nil {
		return nil, err
	}
	var codes []string
	for _, r := range all {
		if r.Code != "" && !slices.Contains(codes, r.Code) {
			codes = append(codes, r.Code)
		}
	}
	if len(all) > 0 {
		return codes, nil
	}
	state, err := archive.State(reader, k)
	if state == reads.Draft {
		codes = []string{draftCode}
	}
	return codes, err
}
