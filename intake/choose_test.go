package intake

import (
	"strings"
	"testing"

	"github.com/t2map/t2map/dicomio"
	"github.com/t2map/t2map/hint"
	"github.com/t2map/t2map/protocol"
)

// Without evidence in the images, the number of echoes in the protocol shows which echo may be missing.
func TestShortTrain(t *testing.T) {
	for _, c := range []struct {
		te   []float64
		want string
	}{
		{[]float64{10, 20, 30}, "the next echo would be at 40 ms"},
		{[]float64{20, 30, 40}, "the next echo would be at 10 ms"},
		{[]float64{10, 25, 50}, "10, 25, 50 ms, and the protocol asks for 4"},
		{[]float64{34.800000000000004, 46.4, 58}, "34.8, 46.4, 58 ms"},
	} {
		err := tooShort(protocol.SeriesRule{Echoes: 4}, []dicomio.Train{{TE: c.te}})
		if err == nil || !strings.Contains(err.Error(), c.want) || hint.Find(err) == "" {
			t.Errorf("%v: %v, want …%s…", c.te, err, c.want)
		}
	}
	three, four := dicomio.Train{TE: []float64{1, 2, 3}}, dicomio.Train{TE: []float64{1, 2, 3, 4}, Number: 2}
	for _, c := range []struct {
		rule   protocol.SeriesRule
		trains []dicomio.Train
	}{{protocol.SeriesRule{Echoes: 4}, []dicomio.Train{three, three}}, {protocol.SeriesRule{Echoes: 3},
		[]dicomio.Train{four}}, {protocol.SeriesRule{Number: 9}, []dicomio.Train{three}},
		{protocol.SeriesRule{Number: 9, Echoes: 4}, []dicomio.Train{three}}} {
		if err := tooShort(c.rule, c.trains); err != nil {
			t.Errorf("%s: %v", c.rule, err)
		}
	}
}
