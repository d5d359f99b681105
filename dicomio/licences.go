package dicomio

import "github.com/t2map/t2map/dicomio/internal/codec"

// Licences returns the licences of the third-party decoders that are not Go modules.
func Licences() string { return codec.Licences() }
