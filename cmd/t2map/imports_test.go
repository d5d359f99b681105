package main

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/t2map/t2map/"

// mayImport lists the packages of the module that each package may import. "." is the root, which holds
// documentation alone.
var mayImport = map[string][]string{
	".":              {},
	"volume":         {},
	"files":          {"objects"},
	"objects":        {"hint"},
	"objects/mirror": {"objects", "hint"},
	"hint":           {},
	"audit":          {"hint", "outfile"},
	"sandbox":        {},
	"register":       {"volume", "sandbox"},
	"t2fit":          {"volume", "internal/parallel", "t2fit/internal/lanes", "t2fit/internal/epg"},
	"number":         {},
	"segment": {"volume", "number", "yamlfile", "segment/anatomy", "internal/parallel",
		"segment/internal/words"},
	"segment/anatomy": {"volume", "segment/internal/space", "segment/internal/words"},
	"segment/depth": {"volume", "segment/anatomy", "segment/unroll", "internal/parallel",
		"segment/internal/space", "segment/internal/words"},
	"segment/unroll":     {"segment/internal/space"},
	"yamlfile":           {"printable"},
	"samples":            {"volume"},
	"samples/sampletest": {"volume"}, // for tests alone
	"nifti":              {"volume", "samples", "nifti/internal/deflate"},
	"nrrd":               {"volume", "samples"},
	"metaimage":          {"volume", "samples"},
	"dicomio":            {"volume", "files", "internal/parallel", "dicomio/internal/elements", "dicomio/internal/codec"},
	"phantom":            {"volume", "dicomio/dicomwrite", "nifti", "table", "internal/parallel"},
	"figure":             {"printable", "internal/spare"},
	"report": {"volume", "nifti", "number", "segment", "segment/anatomy", "segment/quality", "segment/unroll",
		"figure", "table", "table/parquet", "outfile", "printable", "internal/spare"},
	"report/panel":  {"volume", "nifti", "segment", "segment/unroll", "report", "figure", "printable"},
	"table":         {"hint", "printable"},
	"table/parquet": {"table"},
	"protocol": {"dicomio", "files", "hint", "internal/segmenter", "number", "printable", "report", "segment", "t2fit",
		"yamlfile"},
	"pipeline": {"dicomio", "files", "hint", "internal/machine", "internal/segmenter", "metaimage", "nifti",
		"nrrd", "outfile", "printable", "protocol", "register", "report", "samples", "segment", "segment/anatomy",
		"segment/depth", "segment/quality", "segment/resample", "segment/texture", "segment/unroll", "t2fit", "volume"},
	"intake": {"dicomio", "files", "hint", "pipeline", "printable", "protocol", "reads", "report", "t2fit", "table"},
	"batch": {"audit", "dicomio", "files", "internal/machine", "internal/parallel", "internal/spare", "hint", "intake",
		"nifti", "outfile", "pipeline", "printable", "protocol", "reads", "register", "report", "segment",
		"segment/anatomy", "t2fit", "table", "volume"},

	"drawing":       {"volume", "outfile"},
	"drawing/tools": {"drawing", "volume"},
	"reader": {"batch", "drawing", "drawing/tools", "figure", "hint", "number", "pipeline", "printable", "protocol", "reader/gate",
		"reads", "report", "segment", "segment/agreement", "volume"},
	"reader/gate": {"hint", "reads"},
	"reads":       {"audit", "drawing", "hint", "nifti", "outfile", "volume"},
	"reads/agree": {"internal/parallel", "printable", "reads", "report", "segment", "segment/agreement", "table", "trial",
		"trial/repeat", "volume"},

	"segment/resample":  {"volume", "internal/parallel", "segment/internal/words"},
	"segment/agreement": {"volume"},
	"segment/texture":   {"volume"},
	"segment/quality":   {"volume", "segment"},

	"internal/parallel":      {},
	"internal/spare":         {},
	"segment/internal/space": {},
	"segment/internal/words": {},

	"outfile":   {},
	"printable": {},

	"trial":         {"table", "hint", "yamlfile", "trial/mmrm", "trial/compare", "printable"},
	"trial/mmrm":    {},
	"trial/compare": {"trial/mmrm"},
	"trial/repeat":  {"trial", "table", "trial/compare", "number", "printable"},
	"trial/figures": {"trial", "trial/mmrm", "trial/repeat", "figure", "printable"},
	"trial/power":   {"trial", "table", "trial/mmrm", "trial/compare", "printable"},
	"trial/publish": {"trial", "trial/mmrm", "figure", "number", "table", "outfile", "printable"},

	"accuracy": {"volume", "t2fit", "phantom", "figure", "table", "outfile", "printable", "trial/mmrm", "trial/power"},

	"nifti/internal/deflate": {},

	"dicomio/dicomwrite":        {"dicomio/internal/elements"},
	"internal/dicomtest/tools":  {"nifti", "volume"},
	"internal/objecttest":       {"objects"}, // for tests alone
	"internal/dicomtest":        {"volume", "dicomio/dicomwrite", "nifti", "phantom"},
	"dicomio/internal/elements": {"dicomio/internal/charset"},
	"dicomio/internal/charset":  {},
	"dicomio/internal/codec":    {"sandbox"},

	"cluster":            {"hint", "objects"},
	"internal/machine":   {},
	"internal/segmenter": {"printable"},

	"t2fit/internal/lanes": {},
	"t2fit/internal/epg":   {"t2fit/internal/lanes"},

	"cmd/t2map": {"accuracy", "batch", "cluster", "reader", "reader/gate", "reads", "pipeline", "protocol", "hint", "table", "dicomio", "phantom",
		"register", "report", "report/panel", "segment", "segment/agreement", "t2fit", "printable", "trial", "trial/mmrm",
		"trial/figures", "trial/publish", "trial/repeat", "trial/power", "figure", "outfile", "files", "objects",
		"objects/mirror", "reads", "reads/agree"},
}

// onlyIn lists the packages that may import a library. Numerical packages know no paths and no loggers.
var onlyIn = map[string][]string{
	// sandbox keeps compiled modules in the user's cache folder; machine asks the system for its memory.
	"os": {"files", "dicomio", "sandbox", "phantom", "internal/dicomtest", "internal/dicomtest/tools", "report",
		"report/panel", "accuracy", "protocol", "pipeline", "intake", "batch", "internal/machine",
		"internal/segmenter", "outfile", "trial/publish", "cmd/t2map", "audit", "cluster", "drawing", "reads",
		"objects", "objects/mirror", "internal/objecttest"},
	"path/filepath": {"files", "dicomio", "sandbox", "phantom", "internal/dicomtest", "internal/dicomtest/tools",
		"report", "report/panel", "accuracy", "protocol", "pipeline", "intake", "batch", "internal/segmenter",
		"outfile", "trial/publish", "cmd/t2map", "audit", "cluster", "drawing", "reads", "reads/agree", "objects",
		"objects/mirror", "internal/objecttest"},
	// cluster calls Slurm
	"os/exec": {"internal/segmenter", "internal/dicomtest/tools", "internal/objecttest", "cluster"},
	"github.com/suyashkumar/dicom": {"dicomio", "dicomio/dicomwrite", "dicomio/internal/elements",
		"internal/dicomtest"},
	"github.com/tetratelabs/wazero": {"sandbox", "dicomio/internal/codec", "register"},
	"github.com/spf13/cobra":        {"cmd/t2map"},
	"golang.org/x/text":             {"intake", "dicomio", "dicomio/internal/charset", "table"},
	"github.com/goccy/go-yaml":      {"yamlfile", "segment"},
	"github.com/parquet-go":         {"table/parquet"},
	"github.com/minio":              {"objects"},
	"gonum.org/v1/plot":             {"figure", "trial/figures", "report", "report/panel", "accuracy"},
	"codeberg.org/go-pdf/fpdf":      {"figure"},
	"log/slog":                      {"batch", "cmd/t2map", "reader"},
}

func TestImportRules(t *testing.T) {
	packages := goPackages(t)
	for pkg, files := range packages {
		allowed, known := mayImport[pkg]
		if !known {
			t.Errorf("package %s is not in mayImport: add it with the packages that it may import", pkg)
		}
		for path, imports := range files {
			for _, imported := range imports {
				checkImport(t, path, pkg, imported, allowed)
			}
		}
	}
	for pkg := range mayImport {
		if len(packages[pkg]) == 0 {
			t.Errorf("package %s is in mayImport but does not exist", pkg)
		}
	}
}

// root is the folder of the module, seen from this package.
var root = filepath.Join("..", "..")

// goPackages returns the imports of each file of each package of the module, without tests. Packages are named
// by their folder with slashes, such as segment/anatomy.
func goPackages(t *testing.T) map[string]map[string][]string {
	t.Helper()
	packages := map[string]map[string][]string{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() && path != root {
			if _, err := os.Stat(filepath.Join(path, "go.mod")); err == nil {
				return fs.SkipDir // a module of its own
			}
		}
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		folder, err := filepath.Rel(root, filepath.Dir(path))
		if err != nil {
			return err
		}
		pkg := filepath.ToSlash(folder)
		if packages[pkg] == nil {
			packages[pkg] = map[string][]string{}
		}
		packages[pkg][path] = []string{}
		for _, spec := range file.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			packages[pkg][path] = append(packages[pkg][path], imported)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return packages
}

func checkImport(t *testing.T, path, pkg, imported string, allowed []string) {
	t.Helper()
	own, isOwn := strings.CutPrefix(imported, module)
	switch {
	case isOwn && !slices.Contains(allowed, own):
		t.Errorf("%s imports %s; %s may import %v", path, own, pkg, allowed)
	case pkg == "volume" && strings.Contains(strings.SplitN(imported, "/", 2)[0], "."):
		t.Errorf("%s imports %s; volume may import the standard library only", path, imported)
	}
	for library, packages := range onlyIn {
		if (imported == library || strings.HasPrefix(imported, library+"/")) && !slices.Contains(packages, pkg) {
			t.Errorf("%s imports %s, which only %v may import", path, imported, packages)
		}
	}
}
