package batch

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/t2map/t2map/dicomio"
)

// chooseTrain returns the one train of the study that is meant.
func (s Settings) chooseTrain(st dicomio.Study, side string) (dicomio.Train, error) {
	var none dicomio.Train
	if len(st.Damaged) > 0 {
		// What cannot be read may have been an echo.
		return none, fmt.Errorf("%s%w", more(len(st.Damaged)), st.Damaged[0])
	}
	rule := s.Protocol.Series
	if s.Series != "" {
		rule = parseSeries(s.Series)
	}
	if rule.Side == "" {
		rule.Side = side
	}
	if len(st.Trains) == 0 {
		return none, noTrain(st)
	}
	var chosen []dicomio.Train
	for _, t := range st.Trains {
		if rule.matches(t) {
			chosen = append(chosen, t)
		}
	}
	switch {
	case len(chosen) == 0:
		return none, hinted("t2map inspect shows the series", "no multi-echo series fits %s; there are %s", rule, listTrains(st.Trains))
	case len(chosen) > 1:
		return none, hinted("choose one with --series or a series rule in the protocol", "%d multi-echo series: %s", len(chosen), listTrains(chosen))
	}
	return chosen[0], chosen[0].Problem
}

// more says of how many problems the one that follows is the first.
func more(n int) string {
	if n > 1 {
		return fmt.Sprintf("%d damaged files, the first: ", n)
	}
	return ""
}

// noTrain says why a study has no train, as well as its files tell.
func noTrain(st dicomio.Study) error {
	for _, t := range st.Suspects {
		return t.Problem
	}
	for _, err := range st.Unsupported {
		return fmt.Errorf("no multi-echo series that can be read: %w", err)
	}
	return hinted("t2map inspect shows what is there", "no multi-echo series: %d MR images of other series, %d maps or phase images", st.Passed.OtherSeries, st.Passed.Derived)
}

// parseSeries reads what --series says: a series number, the beginning of a
// hash or a pattern of the description.
func parseSeries(text string) SeriesRule {
	if n, err := strconv.Atoi(text); err == nil && len(text) < 6 {
		return SeriesRule{Number: n}
	}
	if hex := strings.ToLower(text); len(hex) >= 6 && strings.Trim(hex, "0123456789abcdef") == "" {
		return SeriesRule{Hash: hex}
	}
	return SeriesRule{Description: text}
}

// String says what the rule asks for: description "SAG*", 7 echoes, side L.
func (r SeriesRule) String() string {
	var parts []string
	if r.Description != "" {
		parts = append(parts, fmt.Sprintf("description %q", r.Description))
	}
	if r.Number != 0 {
		parts = append(parts, fmt.Sprintf("number %d", r.Number))
	}
	if r.Echoes != 0 {
		parts = append(parts, fmt.Sprintf("%d echoes", r.Echoes))
	}
	if r.Side != "" {
		parts = append(parts, "side "+r.Side)
	}
	if r.Hash != "" {
		parts = append(parts, "hash "+r.Hash)
	}
	return strings.Join(parts, ", ")
}

// matches reports whether the train fits every part of the rule that is set. A
// train of unknown side fits either side.
func (r SeriesRule) matches(t dicomio.Train) bool {
	described := r.Description == ""
	if !described {
		described, _ = filepath.Match(strings.ToLower(r.Description), strings.ToLower(t.Description))
	}
	return described &&
		(r.Number == 0 || r.Number == t.Number) &&
		(r.Echoes == 0 || r.Echoes == len(t.TE)) &&
		(r.Side == "" || t.Side == "" || r.Side == t.Side) &&
		strings.HasPrefix(t.Hash, r.Hash)
}

// listTrains names trains for people who have to choose.
func listTrains(trains []dicomio.Train) string {
	var out []string
	for _, t := range trains {
		side := cmp.Or(t.Side, "unknown")
		out = append(out, fmt.Sprintf("number %d (hash %s, %q, %d echoes, side %s)", t.Number, t.Hash, printable(t.Description), len(t.TE), side))
	}
	return strings.Join(out, "; ")
}

// printable keeps header text on one line and short.
func printable(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "?"))
	if r := []rune(s); len(r) > 64 {
		s = string(r[:63]) + "…"
	}
	return s
}

// usualMasks are the names under which a mask is looked for.
var usualMasks = []string{"labels.nii.gz", "mask.nii.gz", "*seg*.nii*"}

func (s Settings) maskPatterns() []string {
	if p := cmp.Or(s.Mask, s.Protocol.Mask); p != "" {
		return []string{p}
	}
	return usualMasks
}

// findMask returns the study's mask file: the one of the manifest, else the one
// file in the study's folder that has the given or a usual name.
func (s Settings) findMask(st dicomio.Study, id Identity) (string, error) {
	if id.Mask != "" {
		return id.Mask, nil
	}
	patterns := s.maskPatterns()
	const hint = "put one mask into the study's folder, or name it with --mask or in a manifest"
	if st.Home == "" {
		return "", hinted("name the mask in a manifest", "mask: the folder holds several studies, so no mask there is known to be this one's")
	}
	found, err := matching(st.Home, patterns, s.Out)
	switch {
	case err != nil:
		return "", fmt.Errorf("mask: %w", err)
	case len(found) == 0:
		return "", hinted(hint, "mask: none found (looked for %s)", strings.Join(patterns, ", "))
	case len(found) > 1:
		var names []string
		for _, f := range found {
			rel, _ := filepath.Rel(st.Home, f)
			names = append(names, filepath.ToSlash(rel))
		}
		return "", hinted(hint, "mask: %d candidates: %s", len(found), strings.Join(names, ", "))
	}
	return found[0], nil
}

// matching returns the files below folder, out excepted, whose name or path below
// folder fits one of the patterns.
func matching(folder string, patterns []string, out string) ([]string, error) {
	var found []string
	err := filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrPermission):
			return nil // its files are the reader's to complain about
		case err != nil:
			return err
		case d.IsDir():
			if out != "" && path != folder && within(absolute(out), path) {
				return fs.SkipDir
			}
			return nil
		}
		rel, err := filepath.Rel(folder, path)
		if err != nil {
			return err
		}
		if slices.ContainsFunc(patterns, func(p string) bool {
			name, _ := filepath.Match(p, filepath.Base(path))
			whole, _ := filepath.Match(filepath.FromSlash(p), rel)
			return name || whole
		}) {
			found = append(found, path)
		}
		return nil
	})
	return found, err
}

func absolute(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		return abs
	}
	return path
}
