package batch

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/t2map/t2map/protocol"
	"github.com/t2map/t2map/t2fit"
)

// The protocol in the README is one that can be read.
func TestProtocolOfTheReadme(t *testing.T) {
	p, err := protocol.ReadProtocol(filepath.Join("..", "testdata", "protocol.yaml"))
	if err != nil || p.Name != "TRIAL-7" || p.Scheme.Name != "oai-zib" || p.Series.Echoes != 7 {
		t.Errorf("%+v, %v", p, err)
	}
	readme, err := os.ReadFile(filepath.Join("..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join("..", "testdata", "protocol.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if _, body, _ := strings.Cut(string(text), "\n"); !strings.Contains(string(readme), body) {
		t.Error("the README shows another protocol than testdata/protocol.yaml")
	}
}

func TestReadProtocol(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	write("labels.yaml", "name: ours\nlabels: {7: medial}\n")
	p, err := protocol.ReadProtocol(write("p.yaml", "name: TRIAL-1\nmethod: epg\nskip_echoes: 0\nt2_range_ms: [5, "+
		"90]\nmin_r2: 0.8\nsigma: 12.5\necho_floor: 3\nt1_ms: 1100\nb1_range: [0.5, 1.1]\nrefocusing_profile: [1, "+
		"0.9]\nscheme: labels.yaml\nmaps: mask\nseries: {description: 'SAG T2*', echoes: 7}\n"))
	if err != nil {
		t.Fatal(err)
	}
	want := t2fit.Options{
		Method: t2fit.EPG, SkipEchoes: t2fit.NoSkip, T2Range: [2]float64{5, 90}, MinR2: 0.8,
		Sigma: 12.5, EchoFloor: 3, T1: 1100, B1Range: [2]float64{0.5, 1.1}, RefocusingProfile: []float64{1, 0.9},
	}
	if p.Name != "TRIAL-1" || !reflect.DeepEqual(p.Fit, want) || p.Scheme.Name != "ours" ||
		p.Maps != protocol.MapsMask || p.Series != (protocol.SeriesRule{Description: "SAG T2*", Echoes: 7}) {
		t.Errorf("%+v", p)
	}
	for _, c := range []struct{ text, want string }{
		{"methud: nlls\n", "methud"},
		{"method: magic\n", "magic"},
		{"t2_range_ms: [1]\n", "1 numbers"},
		{"t2_range_ms: [0, 0]\n", "is empty"},
		{"skip_echoes: -1\n", "negative"},
		{"sigma: loud\n", "neither"},
		{"sigma: -1\n", "neither"},
		{"b1_range: [0.4]\n", "1 numbers"},
		{"method: epg\nskip_echoes: 1\n", "needs all"},
		{"scheme: nowhere.yaml\n", "nowhere.yaml"},
		{"scheme: madeup\n", "madeup"},
		{"series: {side: both}\n", "side"},
		{"name: [\n", "protocol"},
		{"", "holds no settings"},
		{"# nothing yet\n", "holds no settings"},
		{"---\n{}\n", "holds no settings"},
		{"\xff\xfen\x00a\x00m\x00e\x00:\x00 \x00x\x00", "not UTF-8"},
		{"name: x\ncolour: red\n", `bad.yaml, line 2, column 1: unknown key "colour"`},
		{"name: x\nlayers: 1.5\n", `bad.yaml, line 2, column 9: layers: "1.5", want a whole number`},
		{"skip_echoes: 1.5\n", `bad.yaml, line 1, column 14: skip_echoes: "1.5", want a whole number`},
		{"skip_echoes: 1e0\n", `line 1, column 14: skip_echoes: "1e0", want a whole number`},
		{"layers: \"1.5\"\n", `line 1, column 9: layers: "1.5", want a whole number`},
		{"layers: true\n", `line 1, column 9: layers: "true", want a whole number`},
		{"series:\n  echoes: 7.9\n", `line 2, column 11: echoes: "7.9", want a whole number`},
		{"anatomy: {description: x, number: 010}\n", `line 1, column 35: number: "010", want a whole number`},
		{"erode_mm: 01\n", `line 1, column 11: erode_mm: "01", want a number`},
	} {
		if _, err := protocol.ReadProtocol(write("bad.yaml", c.text)); err == nil || !strings.Contains(err.Error(),
			c.want) {
			t.Errorf("%q: %v, want …%s…", c.text, err, c.want)
		}
	}
}
