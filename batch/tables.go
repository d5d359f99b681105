package batch

import (
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/t2map/t2map/report"
)

// writeTables rebuilds the tables from the result.json of every study below the
// output folder, so that earlier runs' studies stay in them. A series has one row
// per compartment: this run's result goes before an earlier one in another
// folder, and a study that failed now has none.
func (s Settings) writeTables(out *Outcome) error {
	known := map[[2]string]string{}
	for _, r := range out.Results {
		known[[2]string{r.Study, r.Series}] = r.Dir
	}
	failed := map[string]bool{}
	for _, f := range out.Failures {
		failed[f.Study] = true
	}
	err := s.eachResult(func(path string) {
		r, err := report.ReadResult(path)
		folder := below(s.Out, filepath.Dir(path))
		switch dir, twin := known[[2]string{r.Study, r.Series}]; {
		case err != nil:
			out.Failures = append(out.Failures, report.Failure{Folder: folder, Reason: "results: " + report.ResultFile + " cannot be read, so the study is not in the tables", Hint: "map the study again, or remove the folder"})
		case twin && dir == r.Dir:
			// It is this run's.
		case twin:
			out.Remarks = append(out.Remarks, fmt.Sprintf("%s holds an earlier result of the series in %s; it is not in the tables and may be removed", folder, below(s.Out, dir)))
		case failed[r.Study]:
			out.Remarks = append(out.Remarks, fmt.Sprintf("%s holds an earlier result of a study that failed now; it is not in the tables", folder))
		default:
			known[[2]string{r.Study, r.Series}] = r.Dir
			out.Earlier = append(out.Earlier, r)
		}
	})
	if err != nil {
		return fmt.Errorf("tables: %w", err)
	}
	c := report.Cohort{Version: Version, Results: append(append([]report.Result{}, out.Results...), out.Earlier...), Failures: out.Failures}
	if err := report.WriteTables(s.Out, c); err != nil {
		return hinted("close the tables where they are open, and check the free space", "tables: %w", err)
	}
	return nil
}

// eachResult calls do with every result.json below the output folder, in the
// order of paths.
func (s Settings) eachResult(do func(path string)) error {
	return filepath.WalkDir(s.Out, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && path != s.Out && strings.HasPrefix(d.Name(), "."):
			return fs.SkipDir // unfinished, or another program's
		case !d.IsDir() && d.Name() == report.ResultFile:
			do(path)
		}
		return nil
	})
}
