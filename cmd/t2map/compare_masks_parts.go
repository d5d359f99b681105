package main

import (
	"context"
	"fmt"
	"slices"

	"github.com/t2map/t2map/report"
	"github.com/t2map/t2map/segment"
	"github.com/t2map/t2map/segment/agreement"
)

// comparedParts compares the regions and layers that both results of a study have.
func comparedParts(ctx context.Context, p [2]maskedStudy, results [2]report.Result) (out comparedStudy, err error) {
	var regions [2]segment.Regions
	for n, r := range results {
		var ok bool
		if regions[n], ok, err = report.ReadRegions(p[n].folder, r); err != nil {
			return out, fmt.Errorf("%s: %w", maskNames[n], err)
		}
		if !ok {
			return out, nil
		}
	}
	rows := commonRows(results)
	for len(rows) > 0 {
		var pass partPass
		if pass, rows = nextPass(regions, rows); len(pass.rows) == 0 {
			break
		}
		a, b := regions[0].Renumbered(pass.number[0]), regions[1].Renumbered(pass.number[1])
		all, err := agreement.Compare(ctx, a, b, pass.numbers)
		if err != nil {
			return out, err
		}
		for n, l := range all {
			row, t2 := comparedRow(p, keyOf(pass.rows[n]), l,
				[2][]segment.Summary{results[0].Regions, results[1].Regions})
			out.rows, out.partsT2 = append(out.rows, row), append(out.partsT2, t2...)
		}
	}
	index := func(r maskRow) int {
		return slices.IndexFunc(results[0].Regions, func(s segment.Summary) bool { return keyOf(s) == r.rowKey })
	}
	slices.SortFunc(out.rows, func(a, b maskRow) int { return index(a) - index(b) })
	return out, nil
}

// commonRows returns the rows of regions and layers that both results have. Layers are common only if both results have
// the same number of layers.
func commonRows(results [2]report.Result) []segment.Summary {
	var rows []segment.Summary
	for _, s := range results[0].Regions {
		isCommon := slices.ContainsFunc(results[1].Regions,
			func(o segment.Summary) bool { return keyOf(o) == keyOf(s) })
		if isCommon && (s.Layer == segment.All || results[0].Division.Layers == results[1].Division.Layers) {
			rows = append(rows, s)
		}
	}
	return rows
}

// partPass holds rows that share no voxel. They become the labels 1, 2, … of two masks.
type partPass struct {
	rows    []segment.Summary
	numbers []uint16
	number  [2][]uint16 // the number of each part, 0 for none
}

// nextPass selects rows that share no part in either mask, and returns the other rows. A region shares voxels with its
// layers and its plate.
func nextPass(regions [2]segment.Regions, rows []segment.Summary) (pass partPass, rest []segment.Summary) {
	for n, r := range regions {
		pass.number[n] = make([]uint16, len(r.Parts)+1)
	}
	for _, s := range rows {
		var parts [2][]uint16
		free := true
		for n, r := range regions {
			parts[n], _ = r.Members(s)
			free = free && !slices.ContainsFunc(parts[n], func(part uint16) bool { return pass.number[n][part] != 0 })
		}
		if !free {
			rest = append(rest, s)
			continue
		}
		pass.rows = append(pass.rows, s)
		pass.numbers = append(pass.numbers, uint16(len(pass.rows)))
		for n := range parts {
			for _, part := range parts[n] {
				pass.number[n][part] = uint16(len(pass.rows))
			}
		}
	}
	return pass, rest
}
