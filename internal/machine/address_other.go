//go:build !unix

package machine

// addressSpace returns 0: there is no such limit here.
func addressSpace() int64 { return 0 }
