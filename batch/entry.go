package batch

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/t2map/t2map/files"
	"github.com/t2map/t2map/intake"
	"github.com/t2map/t2map/report"
)

// entry is a result in a line: what a run must know of every result in the output folder.
type entry struct {
	Subject string `json:"subject"`
	Visit   string `json:"visit"`
	Study   string `json:"study"`
	Series  string `json:"series"`
	Side    string `json:"side"`
	// Request is that of the result. Inputs is the hash of the list of its inputs, Outputs that of the names of its
	// files, and Settings that of the settings that must be the same in all results of a folder.
	Request  digest `json:"request"`
	Inputs   digest `json:"inputs"`
	Outputs  digest `json:"outputs"`
	Settings digest `json:"settings"`
	// Sum is the SHA-256 of result.json. The file has not changed as long as its size and its time (in ns since 1970)
	// are the same.
	Sum  digest `json:"sha256"`
	Size int64  `json:"size"`
	Time int64  `json:"time"`
	// Folder is the path below the output folder, with slashes; Dir is the same as a path of the system.
	Folder string `json:"folder"`
	Dir    string `json:"-"`
	// mapped says that this run has mapped the study.
	mapped bool
}

// readEntry reads the result.json at path.
func readEntry(out, path string) (entry, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return entry{}, err
	}
	r, err := report.DecodeResult(data, path)
	if err != nil {
		return entry{}, err
	}
	e := entry{
		Subject: r.Subject, Visit: r.Visit, Study: r.Study, Series: r.Series, Side: r.Side, Request: digestOf(r.Request),
		Inputs: inputsSum(r.Inputs), Outputs: outputsSum(r.Outputs), Settings: settingsSum(r),
		Sum: sha256.Sum256(data), Dir: r.Dir, Folder: files.Below(out, r.Dir),
	}
	if info, err := os.Stat(path); err == nil {
		e.Size, e.Time = info.Size(), info.ModTime().UnixNano()
	}
	return e, nil
}

// result reads the whole result.
func (e entry) result() (report.Result, error) {
	return report.ReadResult(filepath.Join(e.Dir, report.ResultFile))
}

// knee returns the knee of the result.
func (e entry) knee() intake.Knee { return intake.Knee{Study: e.Study, Series: e.Series, Side: e.Side} }

// is reports whether the result would have the same rows in the tables as one of the knee.
func (e entry) is(k intake.Knee) bool { return e.knee().Same(k) }

// complete reports whether the files of the result exist.
func (e entry) complete() bool {
	names, err := os.ReadDir(e.Dir)
	if err != nil {
		return false
	}
	var present []report.File
	for _, n := range names {
		if n.Type().IsRegular() && n.Name() != report.ResultFile {
			present = append(present, report.File{Path: n.Name()})
		}
	}
	if outputsSum(present) == e.Outputs {
		return true
	}
	r, err := e.result() // other files may lie beside those of the result
	if err != nil {
		return false
	}
	for _, f := range r.Outputs {
		info, err := os.Stat(filepath.Join(e.Dir, filepath.FromSlash(f.Path)))
		if err != nil || !info.Mode().IsRegular() {
			return false
		}
	}
	return true
}

// inputsSum returns the hash of a list of inputs.
func inputsSum(inputs []report.File) digest {
	sum := sha256.New()
	for _, f := range inputs {
		fmt.Fprintf(sum, "%q %s\n", f.Path, f.SHA256)
	}
	return digest(sum.Sum(nil))
}

// outputsSum returns the hash of the names of files.
func outputsSum(outputs []report.File) digest {
	var names []string
	for _, f := range outputs {
		names = append(names, f.Path)
	}
	slices.Sort(names)
	return sha256.Sum256([]byte(strings.Join(names, "\n")))
}

// settingsSum returns the hash of the settings that must be the same in all results of a folder.
func settingsSum(r report.Result) digest {
	text, err := json.Marshal(made(r))
	if err != nil {
		panic(err) // the settings are texts
	}
	return sha256.Sum256(text)
}
