package main

import (
	"fmt"
	"path/filepath"
	"slices"

	"github.com/t2map/t2map/hint"
	"github.com/t2map/t2map/trial"
)

// maskedStudy is a study of a folder of results.
type maskedStudy struct {
	subject, visit, side, study, series string
	folder                              string // path of the study's results
	row                                 trial.Measurement
}

// String names the study: "S01, baseline, left".
func (s maskedStudy) String() string {
	text := s.subject
	for _, t := range []string{s.visit, s.side} {
		if t != "" {
			text += ", " + t
		}
	}
	return text
}

// maskedStudies returns the studies of a folder of results, in the order of its table, and the paths of the tables.
func maskedStudies(results string) (all []maskedStudy, inputs []string, err error) {
	if err := checkIdle(results); err != nil {
		return nil, nil, err
	}
	compartments, err := readCompartments(results)
	if err != nil {
		return nil, nil, err
	}
	studies, err := readSource(filepath.Join(results, "studies.csv"), trial.Format{})
	if err != nil {
		return nil, nil, usageError{hint.Errorf(fmt.Sprintf("'t2map tables %s' writes it", results), "%w", err)}
	}
	studies.MadeBy = runName
	table, err := trial.ReadResults(compartments, studies, trial.Plan{})
	if err != nil {
		return nil, nil, err
	}
	for _, r := range table.Measurements() {
		if r.Folder == "" || slices.ContainsFunc(all, func(s maskedStudy) bool { return s.series == r.Series }) {
			continue
		}
		if !filepath.IsLocal(filepath.FromSlash(r.Folder)) {
			return nil, nil, fmt.Errorf("studies.csv of %s: the folder %.60q is not below the folder of the results",
				results, r.Folder)
		}
		all = append(all, maskedStudy{r.Subject, r.Visit, r.Side, r.Study, r.Series,
			filepath.Join(results, filepath.FromSlash(r.Folder)), r})
	}
	return all, []string{filepath.Join(results, "compartments.csv"), filepath.Join(results, "studies.csv")}, nil
}
