package batch

import (
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"github.com/t2map/t2map/report"
)

// writeTables rebuilds the tables from the result.json of every study below the
// output folder, so that earlier runs' studies stay in them. A series has one row
// per compartment: this run's result goes before an earlier one in another
// folder. A series that failed now has none, but a study that failed before a
// series was chosen, or was interrupted, keeps what it had.
func (s Settings) writeTables(out *Outcome) error {
	known := map[seriesKey]string{}
	for _, r := range out.Results {
		known[seriesKey{r.Study, r.Series}] = r.Dir
	}
	err := s.eachResult(func(path string, err error) {
		folder := below(s.Out, filepath.Dir(path))
		var r report.Result
		if err == nil {
			r, err = report.ReadResult(path)
		}
		key := seriesKey{r.Study, r.Series}
		switch dir, twin := known[key]; {
		case err != nil:
			out.Failures = append(out.Failures, report.Failure{Folder: folder, Reason: "results: cannot be read, so the study is not in the tables", Hint: "map the study again, or remove the folder"})
		case twin && dir == r.Dir:
			// It is this run's.
		case twin:
			out.Remarks = append(out.Remarks, fmt.Sprintf("%s holds an earlier result of the series in %s; it is not in the tables and may be removed", folder, below(s.Out, dir)))
		case out.failed[key]:
			out.Remarks = append(out.Remarks, fmt.Sprintf("%s holds an earlier result of a series that failed now; it is not in the tables", folder))
		default:
			known[key] = r.Dir
			out.Earlier = append(out.Earlier, r)
		}
	})
	if err != nil {
		return fmt.Errorf("tables: %w", err)
	}
	c := report.Cohort{Version: Version, Results: slices.Concat(out.Results, out.Earlier), Failures: out.Failures}
	if err := report.WriteTables(s.Out, c); err != nil {
		return hinted("close the tables where they are open, and check the free space", "tables: %w", err)
	}
	return nil
}

// seriesKey names a series by the hashes of its study and itself.
type seriesKey struct{ study, series string }

// eachResult calls do with every result.json below the output folder, in the
// order of paths, and with what cannot be listed and its error.
func (s Settings) eachResult(do func(path string, err error)) error {
	return filepath.WalkDir(s.Out, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil && path == s.Out:
			return err
		case err != nil:
			do(filepath.Join(path, report.ResultFile), err)
			return fs.SkipDir
		case d.IsDir() && path != s.Out && strings.HasPrefix(d.Name(), "."):
			return fs.SkipDir // unfinished, or another program's
		case !d.IsDir() && d.Name() == report.ResultFile:
			do(path, nil)
		}
		return nil
	})
}
