package codec

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"os"
	"testing"
)

func TestPackets(t *testing.T) {
	for _, c := range []struct {
		name           string
		marked, ht, ok bool
		packets        string
	}{
		{"plain", false, false, true, "\x80\xff\x7f\xff\x8f\x00"},
		{"too high", false, false, false, "\x80\xff\x90\x00"},
		{"too high in HTJ2K", false, true, true, "\x80\xff\x90\x00"},
		{"two in a row", false, false, false, "\x80\xff\xff\x00"},
		{"FF at the end", false, false, true, "\x80\xff"},
		{"EOC counted", false, false, true, "\x80\xff\xd9"},
		{"EOC and padding", false, false, true, "\x80\xff\xd9\xff\xff"},
		{"SOP and EPH", true, false, true, "\xff\x91\x00\x04\x00\xff\xc0\xff\x92\x12"},
		{"SOP and EPH that nothing announces", false, false, false, "\xff\x91\x00\x04\x00\x00\xc0\xff\x92\x12"},
		{"an SOP of another length", true, false, false, "\xff\x91\x00\x05\x00\x00\xc0"},
		{"an SOP that ends too early", true, false, false, "\xff\x91\x00\x04\x00"},
	} {
		p := jpeg2000Parts{marked: c.marked, highThroughput: c.ht, packets: [][]byte{[]byte(c.packets)}}
		if err := p.checkPackets(); (err == nil) != c.ok {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

// Some damage to packets is visible as impossible bytes.
func TestDamagedPackets(t *testing.T) {
	data, err := os.ReadFile("testdata/seeds/1.2.840.10008.1.2.4.90-openjpeg")
	if err != nil {
		t.Fatal(err)
	}
	sod := bytes.Index(data, binary.BigEndian.AppendUint16(nil, markerSOD)) + 2
	found := 0
	r := rand.New(rand.NewPCG(1, 2))
	const rounds, bytesEach = 1000, 16
	for range rounds {
		damaged := bytes.Clone(data)
		start := sod + r.IntN(len(data)-2-bytesEach-sod)
		for i := range bytesEach {
			damaged[start+i] = byte(r.Uint32())
		}
		p, err := readJPEG2000Parts(damaged)
		if err != nil {
			t.Fatal(err)
		}
		if p.checkPackets() != nil {
			found++
		}
	}
	// One pair in 65536/112 is impossible: 2.6 % of 16 random bytes, and more next to bytes
	// of FF.
	if found < rounds/100 {
		t.Errorf("found %d times in %d", found, rounds)
	}
	t.Logf("found %d times in %d", found, rounds)
}
