package protocol

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"github.com/t2map/t2map/dicomio"
	"github.com/t2map/t2map/report"
)

// settled returns the hexadecimal SHA-256 of the settings that all results of a folder have in common: those that
// change values or their limits, with defaults filled in, in JSON. r is their record. The choice of the studies, of
// their series and of the files of masks (also by reads), the name of the protocol and the voxels that are mapped are not
// part of it: they may differ between runs into one folder, and change no value of a study. A setting that is added later must be
// omitted from the JSON at its default, so that the hash of a protocol without it stays the same.
func (p Protocol) settled(r report.Protocol) string {
	segmenter := r.Segmenter.Text()
	r.Name, r.Maps, r.Segmenter, r.SHA256 = "", "", nil, ""
	r.PhilipsScaling = cmp.Or(string(p.PhilipsScaling), string(dicomio.DisplayValues))
	r.MaskThreshold = cmp.Or(p.MaskThreshold, defaultThreshold)
	r.Segments, r.Codes = p.Scheme.Segments, p.Scheme.Codes
	register := p.Register.WithDefaults()
	text, err := json.Marshal(struct {
		Settings              report.Protocol
		Segmenter             string
		MaxRotation, MaxShift float64
	}{r, segmenter, register.MaxRotation, register.MaxShift})
	if err != nil { // Check refuses infinite numbers, the only ones that JSON does not have
		panic(fmt.Sprintf("protocol: the settings were not checked: %v", err))
	}
	hash := sha256.Sum256(text)
	return hex.EncodeToString(hash[:])
}

// defaultThreshold is the fraction from which a voxel belongs to a segment, the default of dicomio.
const defaultThreshold = 0.5
