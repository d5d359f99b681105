package publish

import (
	"os"
	"testing"

	"github.com/t2map/t2map/figure"
)

func TestLook(t *testing.T) {
	dir := os.Getenv("T2MAP_LOOK")
	if dir == "" {
		t.Skip()
	}
	for name, s := range map[string]sample{
		"usual": {2, 3, 12, true}, "one-arm": {1, 3, 8, false}, "one-visit": {2, 1, 6, false}, "six": {6, 5, 5, true}, "visits": {2, 200, 6, false},
	} {
		if err := Write(dir+"/"+name, s.analysis(), []figure.Picture{picture("compartments"), picture("change")}); err != nil {
			t.Error(err)
		}
	}
}
