package codec_test

import (
	"testing"

	"github.com/t2map/t2map/dicomio/internal/codec"
)

// Files that hold the same image, compressed and not.
func TestRealFiles(t *testing.T) {
	for want, compressed := range map[string][]string{
		"transfer-syntaxes/1.dcm": {
			"transfer-syntaxes/4.dcm", "transfer-syntaxes/5.dcm", "transfer-syntaxes/6.dcm",
			"transfer-syntaxes/7.dcm", "transfer-syntaxes/8.dcm", "transfer-syntaxes/9.dcm",
		},
		"pydicom/MR_small.dcm": {
			"pydicom/MR_small_RLE.dcm", "pydicom/MR_small_jp2klossless.dcm", "pydicom/MR_small_jpeg_ls_lossless.dcm",
		},
		"pydicom/emri_small.dcm": {
			"pydicom/emri_small_RLE.dcm", "pydicom/emri_small_jpeg_2k_lossless.dcm",
			"pydicom/emri_small_jpeg_ls_lossless.dcm",
		},
		"pydicom/liver.dcm": {
			"pydicom/liver_rle.dcm", "pydicom/liver_j2k.dcm", "pydicom/liver_deflate.dcm",
		},
		"pydicom/liver_nonbyte_aligned.dcm": {
			"pydicom/liver_nonbyte_aligned_rle.dcm", "pydicom/liver_nonbyte_aligned_j2k.dcm",
			"pydicom/liver_nonbyte_aligned_deflate.dcm",
		},
	} {
		for _, name := range compressed {
			t.Run(name, func(t *testing.T) {
				f := sharedFile(t, name)
				check(t, f, sharedFile(t, want).plain(t))
				if codec.Lossy(f.syntax, f.fragments[0]) {
					t.Error("lossy")
				}
			})
		}
	}
}
