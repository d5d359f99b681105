// Package protocol holds what a trial fixes for all its studies: the fit, the meaning of labels, how masks are
// divided and aligned, and the program that makes them. It reads and checks protocols.
package protocol
