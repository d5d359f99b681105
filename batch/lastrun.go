package batch

import (
	"encoding/json"
	"fmt"
	"path/filepath"

	"github.com/t2map/t2map/audit"
	"github.com/t2map/t2map/files"
)

// rootsFile is the file of the state with the folders that the last run has searched, one in a line.
const rootsFile = "roots.jsonl"

// LastRun is what is known of the run that wrote the tables in a folder of results.
type LastRun struct {
	// Options are those of the command, as in "--scheme skm-tea"; nil if the record does not have them.
	Options []string
	// Roots are the folders that it has searched; nil if that is not known, because the state of the folder was removed.
	Roots []string
}

// FindLastRun looks for the last run in a folder of results. known is false if no run has written to the folder.
func FindLastRun(out string) (last LastRun, known bool, err error) {
	if _, _, err := audit.Read(out, func(e audit.Event) {
		if e.Kind == audit.RunStarted {
			last.Options, known = e.Options, true
		}
	}); err != nil {
		return last, known, fmt.Errorf("%s: %w", audit.File, err)
	}
	_ = eachLine(filepath.Join(out, stateFolder, rootsFile), func(line []byte) error { // the state may be missing
		var root string
		if err := json.Unmarshal(line, &root); err != nil {
			return err
		}
		last.Roots = append(last.Roots, root)
		return nil
	})
	return last, known, nil
}

// writeRoots writes the folders that the run has searched.
func (r *session) writeRoots() error {
	return r.writeState(rootsFile, func(write func(any) error) error {
		for _, root := range r.Roots {
			if err := write(files.Absolute(root)); err != nil {
				return err
			}
		}
		return nil
	})
}
