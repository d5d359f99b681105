package parquet

import (
	"sync"

	"github.com/klauspost/compress/zstd"
	library "github.com/parquet-go/parquet-go/compress/zstd"
)

// codec is the library's Zstandard with less memory: one encoder for all tables, with a window of the size of a page.
// The library's own takes 16 MB for each column that is compressed at a time.
type codec struct{ library.Codec }

// window is larger than a page of the library, 256 KiB.
const window = 1 << 19

var encoder = sync.OnceValues(func() (*zstd.Encoder, error) {
	return zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(window),
		zstd.WithLowerEncoderMem(true), zstd.WithZeroFrames(true), zstd.WithEncoderCRC(false))
})

// Encode compresses src into dst, or into a longer slice.
func (*codec) Encode(dst, src []byte) ([]byte, error) {
	e, err := encoder()
	if err != nil {
		return nil, err
	}
	return e.EncodeAll(src, dst[:0]), nil
}
