//go:build !amd64

package lanes

func setVectors(bool) {}
