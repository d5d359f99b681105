// Package drawing is a mask while a reader draws it: strokes that change its voxels, undo and redo, and a journal on the
// disk from which the mask can be restored after the program was killed.
//
// Voxels have the order of package volume, on the grid of the series that the mask is drawn on: voxel (i, j, k) has the
// index v = i + Nx·(j + Ny·k). No other order occurs in a stroke or in a journal, so that nothing is flipped on its way
// to the file of the mask.
//
// The package knows neither what labels mean nor who draws.
package drawing
