// Package trial analyses the tables of many studies as a trial reports them: values by arm and
// visit, changes from baseline, the mixed model with its differences from the reference arm,
// supporting tests, the change of each subject against the repeatability of the measurement, and
// flags of everything that speaks against a value.
//
// It reads tables (compartments.csv, studies.csv, a design, other endpoints) and knows nothing of
// images. Arms are joined to results here and nowhere else: images are mapped without them.
//
// Units are those of the endpoint, ms for T2; months for visits; percent where a name
// says so. A number that does not exist is NaN with a reason beside it, never 0.
package trial
