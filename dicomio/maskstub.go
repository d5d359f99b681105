package dicomio

// MaskObject stub
type MaskObject struct {
	header *header
	err    error
}

func maskObject(h *header, err error) MaskObject { return MaskObject{h, err} }
func (h *header) isMask() bool                   { return false }
