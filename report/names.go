package report

import (
	"path"
	"slices"
)

// ofTables are the files that the tables and the page consist of, but for those in PageFolder.
var ofTables = []string{compartmentsTable, studiesTable, qcTable, timingTable, compartmentsParquet, studiesParquet,
	qcParquet, pageFile, failuresPage}

// IsOfTables reports whether a file of a folder of results, with a slash in its name if it lies in PageFolder, is part
// of the tables or of the page.
func IsOfTables(name string) bool {
	if folder, base := path.Split(name); folder == PageFolder+"/" {
		return pageFileNames.MatchString(base)
	}
	return slices.Contains(ofTables, name)
}
