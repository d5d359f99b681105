package dicomio

import "github.com/t2map/t2map/dicomio/internal/codec"

// Licences returns the licences of the decoders of others that the package holds beside
// its Go modules.
func Licences() string { return codec.Licences() }
