// Package trial turns the tables of many studies into what a trial reports: figures
// by arm and visit, change from baseline, the mixed model with its differences to the
// reference arm and the tests beside it, each subject against the repeatability of the
// measurement, and a list of everything that speaks against a figure.
//
// It reads tables (compartments.csv, studies.csv, a design, other endpoints) through
// io.Reader and knows nothing of images. It is the one place where arms meet results:
// whoever reads or maps the images is blind to them.
//
// Units are those of the endpoint, ms for T2; months for visits; percent where a name
// says so. A figure that could not be had is NaN with a reason beside it, never 0.
package trial
