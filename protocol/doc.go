// Package protocol holds the settings that a trial fixes for all its studies: the fit, the meaning of labels, how
// masks are divided and aligned, and the program that makes them. It reads protocols from YAML files and checks them.
package protocol
