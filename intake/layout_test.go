package intake

import (
	"testing"

	"github.com/t2map/t2map/dicomio"
)

// A layout treats an archive as a folder without its ending.
func TestLayoutOfArchives(t *testing.T) {
	l, err := parseLayout("{subject}/{visit}")
	if err != nil {
		t.Fatal(err)
	}
	for _, folder := range []string{"S01/M00", "S01/M00.zip", "S01/M00.TAR.GZ/dicom", "S01.tgz/M00"} {
		id, err := l.identify(dicomio.Place{Root: "/data", Folder: "/data/" + folder}, 0)
		if err != nil || id.Subject != "S01" || id.Visit != "M00" {
			t.Errorf("%s: %+v, %v", folder, id, err)
		}
	}
}
