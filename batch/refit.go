package batch

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/t2map/t2map/audit"
	"github.com/t2map/t2map/files"
	"github.com/t2map/t2map/hint"
	"github.com/t2map/t2map/intake"
	"github.com/t2map/t2map/pipeline"
	"github.com/t2map/t2map/printable"
	"github.com/t2map/t2map/report"
)

// Refit makes each result of a folder again from its inputs, in a temporary folder, and compares both result.json. They
// hold all numbers, and the hashes of the maps and pictures. It returns the number of results that it compared, and the
// differences.
//
// The record of the folder says with which options each result was made. Those that keep reports may change a result;
// settings turns them into the settings of a run, whose Out is replaced. The results of each set of options are made in
// one run, which takes as much time as the first one, and as much space in the folder for temporary files as its
// results.
//
// It returns an error if the folder lies in a searched one, because the first run did not search it.
func Refit(
	ctx context.Context, out string, keep func(option string) bool, settings func(options []string) (Settings, error),
) (int, []Finding, error) {
	r := refit{out: out, keep: keep, settings: settings}
	groups, err := r.groups()
	if err != nil {
		return 0, r.findings, err
	}
	for _, key := range slices.Sorted(maps.Keys(groups)) {
		if err := r.run(ctx, groups[key]); err != nil {
			return r.compared, r.findings, fmt.Errorf("refit: %w", err)
		}
	}
	return r.compared, r.findings, nil
}

// refit is the state of Refit.
type refit struct {
	out      string
	keep     func(string) bool
	settings func([]string) (Settings, error)
	compared int
	findings []Finding
}

// refitGroup holds results that were made with the same options.
type refitGroup struct {
	options []string
	results []refitResult
}

// refitResult is a result in a line.
type refitResult struct {
	Dir  string
	knee intake.Knee
}

func (r *refit) find(dir, problem string) {
	r.findings = append(r.findings, Finding{files.Below(r.out, dir) + "/" + report.ResultFile, problem})
}

// groups returns the results by the options with which they were made. Results of which this is not known, and those
// of other versions, are findings.
func (r *refit) groups() (map[string]*refitGroup, error) {
	options := map[string][]string{} // by run
	runs := map[string]string{}      // by the folder of the result, and by folder and hash
	if _, _, err := audit.Read(r.out, func(e audit.Event) {
		switch e.Kind {
		case audit.RunStarted:
			options[e.Run] = slices.DeleteFunc(e.Options, func(option string) bool { return !r.keep(option) })
		case audit.StudyDone:
			runs[e.Folder], runs[e.Folder+"\n"+e.Result] = e.Run, e.Run
		}
	}); err != nil {
		return nil, fmt.Errorf("%s: %w", audit.File, err)
	}
	groups := map[string]*refitGroup{}
	return groups, eachResult(r.out, func(path string, err error) error {
		dir := filepath.Dir(path)
		result, readErr := report.ReadResult(path)
		if cmp.Or(err, readErr) != nil {
			return nil // Verify finds it
		}
		folder := files.Below(r.out, dir)
		sum, _ := fileHash(path) // a result that was changed is that of the last run
		with, known := options[cmp.Or(runs[folder+"\n"+sum], runs[folder])]
		switch {
		case result.Version != pipeline.Version:
			r.find(dir, "not derived again: it was made by version "+result.Version)
			return nil
		case !known:
			r.find(dir, "not derived again: the record does not say with which options it was made")
			return nil
		}
		key := strings.Join(with, "\n")
		if groups[key] == nil {
			groups[key] = &refitGroup{options: with}
		}
		groups[key].results = append(groups[key].results,
			refitResult{dir, intake.Knee{Study: result.Study, Series: result.Series, Side: result.Side}})
		return nil
	})
}

// run makes the results of a group again and compares them.
func (r *refit) run(ctx context.Context, g *refitGroup) error {
	s, err := r.settings(g.options)
	if err != nil {
		return err
	}
	for _, root := range s.Roots {
		if files.Inside(files.Absolute(root), files.Absolute(r.out)) {
			return hint.Errorf("copy the results to a folder outside of it", "the results lie in the searched folder %s",
				filepath.Base(root))
		}
	}
	if s.Out, err = os.MkdirTemp("", "t2map-refit-*"); err != nil {
		return hint.Errorf("TMPDIR names the folder for temporary files", "temporary folder: %w", err)
	}
	defer os.RemoveAll(s.Out)
	s.Shard, s.VerifyInputs = Shard{}, false
	s.Force, s.DryRun, s.Replace, s.Rename, s.Wait, s.MaxFailures, s.MemoryMB = false, false, false, false, false, 0, 0
	outcome, err := Run(ctx, s)
	if err != nil {
		return err
	}
	made, err := readLedger(s.Out)
	if err != nil {
		return err
	}
	for _, before := range g.results {
		if err := r.compare(before, made, outcome.Failures); err != nil {
			return err
		}
	}
	return nil
}

// compare compares a result with the one that was made again, unless its study failed.
func (r *refit) compare(before refitResult, made *ledger, failures []report.Failure) error {
	again, ok := made.find(before.knee)
	if !ok {
		same := func(f report.Failure) bool { return kneeThatFailed(f).Same(before.knee) }
		if k := slices.IndexFunc(failures, same); k >= 0 {
			r.find(before.Dir, "cannot be derived again: "+failures[k].Reason)
		} else {
			r.find(before.Dir, "cannot be derived again: its study is not in the searched folders")
		}
		return nil
	}
	r.compared++
	differences, err := resultDifferences(before.Dir, again.Dir)
	const shown = 5
	for _, d := range differences[:min(shown, len(differences))] {
		r.find(before.Dir, d)
	}
	if n := len(differences) - shown; n > 0 {
		r.find(before.Dir, fmt.Sprintf("%d more values differ", n))
	}
	return err
}

// resultDifferences lists the values that differ between the result.json of two folders.
func resultDifferences(before, again string) ([]string, error) {
	var values [2]any
	var texts [2][]byte
	for n, dir := range []string{before, again} {
		text, err := os.ReadFile(filepath.Join(dir, report.ResultFile))
		if err != nil {
			return nil, err
		}
		d := json.NewDecoder(bytes.NewReader(text))
		d.UseNumber() // all digits
		if err := d.Decode(&values[n]); err != nil {
			return nil, fmt.Errorf("%s: %w", report.ResultFile, err)
		}
		texts[n] = text
	}
	var all []string
	compareValues("", values[0], values[1], &all)
	slices.SortStableFunc(all, func(a, b string) int { return cmp.Compare(rank(a), rank(b)) })
	if len(all) == 0 && !bytes.Equal(texts[0], texts[1]) {
		all = append(all, "the same values are written in another way")
	}
	return all, nil
}

// rank is 0 for differences that are the cause of others: those of the settings and of the inputs.
func rank(difference string) int {
	for _, cause := range []string{"protocol.", "inputs["} {
		if strings.HasPrefix(difference, cause) {
			return 0
		}
	}
	return 1
}

// absent stands for a value that is not there.
type absent struct{}

// compareValues appends the values that differ, each with its place, such as compartments[0].mean_t2_ms.
func compareValues(place string, before, again any, all *[]string) {
	switch a := before.(type) {
	case map[string]any:
		b, ok := again.(map[string]any)
		if !ok {
			break
		}
		keys := maps.Clone(a)
		maps.Copy(keys, b)
		for _, key := range slices.Sorted(maps.Keys(keys)) {
			compareValues(strings.TrimPrefix(place+"."+key, "."), valueAt(a, key), valueAt(b, key), all)
		}
		return
	case []any:
		b, ok := again.([]any)
		if !ok {
			break
		}
		if len(a) != len(b) {
			*all = append(*all, fmt.Sprintf("%s: %d values, derived again %d", place, len(a), len(b)))
		}
		for n := range min(len(a), len(b)) {
			compareValues(fmt.Sprintf("%s[%s]", place, nameOf(n, a[n], b[n])), a[n], b[n], all)
		}
		return
	}
	if !reflect.DeepEqual(before, again) {
		*all = append(*all, fmt.Sprintf("%s: %s, derived again %s", place, shownValue(before), shownValue(again)))
	}
}

// nameOf returns the name of the file that two elements of a list describe, or their index.
func nameOf(n int, before, again any) string {
	a, _ := before.(map[string]any)
	b, _ := again.(map[string]any)
	if path, ok := a["path"].(string); ok && path == b["path"] {
		return path
	}
	return strconv.Itoa(n)
}

func valueAt(object map[string]any, key string) any {
	if v, ok := object[key]; ok {
		return v
	}
	return absent{}
}

// shownValue returns the beginning of a value as JSON; "absent" if it is not there.
func shownValue(v any) string {
	if _, ok := v.(absent); ok {
		return "absent"
	}
	text, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return printable.Short(string(text))
}
