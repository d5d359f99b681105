package protocol

// Key is a key of a protocol file.
type Key struct {
	Name string
	// Form is an example of its value in YAML; empty for a key that has keys of its own.
	Form string
	// Meaning is what it decides, and its default.
	Meaning string
	Keys    []Key
}

// Keys are all keys of a protocol, in the order in which a file has them.
var Keys = []Key{
	{Name: "name", Form: "TRIAL-7", Meaning: "name of the protocol, copied into the results"},
	{Name: "method", Form: "nlls", Meaning: "how T2 is estimated: nlls (default), loglinear, loglinear-unweighted, " +
		"arlo, nlls-offset, rician or epg"},
	{Name: "skip_echoes", Form: "1", Meaning: "number of echoes at the start of the train that are not fitted; " +
		"default 1, and 0 with epg"},
	{Name: "t2_range_ms", Form: "[0, 150]", Meaning: "accepted T2 in ms; a voxel outside is excluded as " +
		"t2_out_of_range; default [0, 150]"},
	{Name: "min_r2", Form: "0.9", Meaning: "a voxel whose fit has a lower R² is excluded as poor_fit; default 0, no " +
		"threshold"},
	{Name: "min_signal", Form: "10", Meaning: "an echo counts as signal above this magnitude; a voxel with fewer than " +
		"two such echoes is excluded as low_signal; default 0"},
	{Name: "sigma", Form: "residuals", Meaning: "standard deviation of the noise in the units of the images, or its " +
		"source: residuals (default) or background"},
	{Name: "echo_floor", Form: "2", Meaning: "trailing echoes of a voxel under this multiple of the noise are not " +
		"fitted; default 0, none"},
	{Name: "t1_ms", Form: "1200", Meaning: "T1 in ms of all tissue, for the method epg; default 1200"},
	{Name: "b1_range", Form: "[0.4, 1.2]", Meaning: "refocusing angles that epg searches, as fractions of 180°; " +
		"default [0.4, 1.2]"},
	{Name: "refocusing_profile", Form: "[0.96, 0.81, 0.63, 0.39]", Meaning: "refocusing angles across the slice as " +
		"fractions of the nominal angle, for epg; default [1]"},
	{Name: "scheme", Form: "skm-tea", Meaning: "meaning of the labels of masks: a built-in scheme, or a YAML file " +
		"relative to this file; required here or with --scheme"},
	{Name: "mask", Form: `"*seg*.nii.gz"`, Meaning: "pattern of the mask's file name, or of its path below the study's " +
		"folder; default: the usual names"},
	{Name: "mask_threshold", Form: "0.5", Meaning: "a voxel of a fractional DICOM segmentation belongs to the segment " +
		"if its fraction is at least this; default 0.5"},
	{Name: "mask_fraction", Form: "0.5", Meaning: "smallest share of a voxel that a mask on another grid must cover; " +
		"default 0.5"},
	{Name: "division", Form: "knee", Meaning: "how tissues become compartments: knee (default), by the shape of the " +
		"knee; none, each tissue is a row of its own"},
	{Name: "layers", Form: "2", Meaning: "number of layers of cartilage from bone to joint, at most 10; default 2; 0 " +
		"for none"},
	{Name: "erode_mm", Form: "0.4", Meaning: "distance in mm by which each tissue of the mask is eroded; default 0"},
	{Name: "fluid_ms", Form: "100", Meaning: "a voxel of cartilage with a T2 in ms above this is excluded as fluid; " +
		"default: no limit"},
	{Name: "fluid_edge_ms", Form: "80", Meaning: "the same limit for voxels at the edge, which a mask on another grid " +
		"covers in part; default: no limit"},
	{Name: "allow_foreign_mask", Form: "true", Meaning: "accept a DICOM mask of other images, or of a series in another " +
		"frame of reference, if the knee did not move; default false"},
	{Name: "accept_patient_id", Form: "true", Meaning: "use PatientID as the subject although it repeats the " +
		"patient's name or holds a date; default false"},
	{Name: "layout", Form: `"{subject}/{visit}"`, Meaning: "pattern of study folders with {subject}, {visit}, {side} " +
		"and *; default: none"},
	{Name: "maps", Form: "full", Meaning: "which voxels are fitted: full (default), all voxels; mask, the voxels of the " +
		"mask; none, the voxels of the mask, without writing maps"},
	{Name: "philips_scaling", Form: "dv", Meaning: "which values of Philips images are mapped: dv (default) or fp"},
	{Name: "series", Meaning: "the multi-echo series that is mapped; default: the only one. All of its keys must match",
		Keys: append(seriesKeys(), Key{Name: "quantity", Form: "T2", Meaning: "map the series although its headers say " +
			"that it measures T1ρ or T2*; needs description or number"})},
	{Name: "anatomy", Meaning: "the series that maps are shown over; default: the first echo", Keys: seriesKeys()},
	{Name: "segment", Meaning: "a program that makes the mask of each study, see docs/segmenter.md", Keys: segmentKeys},
	{Name: "register", Meaning: "alignment of the image that masks were drawn on with the mapped series; default: none",
		Keys: []Key{
			{Name: "moving", Form: `"*DESS*"`, Meaning: "the series that masks were drawn on: its number, the beginning " +
				"of its hash, or a pattern of its description"},
			{Name: "max_rotation_degrees", Form: "15", Meaning: "largest accepted rotation; default 15"},
			{Name: "max_shift_mm", Form: "30", Meaning: "largest accepted shift; default 30"},
		}},
	{Name: "masks", Meaning: "masks that are carried to other visits; default: none", Keys: []Key{
		{Name: "from", Form: "baseline", Meaning: "the visit whose mask is carried to the visits of a subject that have " +
			"no mask of their own"},
	}},
	{Name: "reads", Meaning: "how readers read the studies, see docs/reads.md", Keys: readsKeys},
	{Name: "acquisition", Meaning: "the acquisition that is expected of all studies; default: any", Keys: acquisitionKeys},
	{Name: "quality", Meaning: "limits of quality control. A value beyond a limit is a flag in qc.csv and on the page; " +
		".inf switches a flag off, as does 0 for snr_last and voxels; if warn is switched off, fail does not have a default",
		Keys: qualityKeys},
}

func seriesKeys() []Key {
	return []Key{
		{Name: "description", Form: `"SAG*T2*"`, Meaning: "pattern of SeriesDescription, where * matches any text and ? " +
			"one character"},
		{Name: "number", Form: "5", Meaning: "SeriesNumber"},
		{Name: "echoes", Form: "7", Meaning: "number of echo times"},
		{Name: "side", Form: "R", Meaning: "L or R; a series of unknown side matches either"},
	}
}

var segmentKeys = []Key{
	{Name: "command", Form: `["my-segmenter", "{input}", "{output}"]`, Meaning: "the program and its arguments"},
	{Name: "version", Form: `["my-segmenter", "--version"]`, Meaning: "command that prints the program's version; " +
		"default: its files are hashed"},
	{Name: "input", Form: `"*DESS*"`, Meaning: "the series that the program gets; default: the first echo of the mapped " +
		"series"},
	{Name: "scheme", Form: "oai-zib", Meaning: "meaning of the labels that the program writes; default: scheme"},
	{Name: "timeout", Form: "30m", Meaning: "time limit for one study; default 30m"},
}

var acquisitionKeys = []Key{
	{Name: "echoes", Form: "7", Meaning: "number of echo times"},
	{Name: "spacing_ms", Form: "{value: 10, tolerance: 0.5}", Meaning: "time in ms between two echoes; default " +
		"tolerance 0.5"},
	{Name: "tr_ms", Form: "{value: 2700, tolerance: 100}", Meaning: "repetition time in ms; default tolerance 100"},
	{Name: "voxel_mm", Form: "{value: [0.3125, 0.3125, 3.5], tolerance: 0.02}", Meaning: "distances in mm of columns, " +
		"rows and slices (with their gap); default tolerance 0.02"},
	{Name: "field_t", Form: "{value: 3, tolerance: 0.2}", Meaning: "field strength in T; default tolerance 0.2"},
	{Name: "scanners", Form: `["Prisma*", "Skyra*"]`, Meaning: "patterns of the scanner's model " +
		"(ManufacturerModelName), one of which must match"},
	{Name: "deviation", Form: "flag", Meaning: "what happens to a study that deviates, or whose images do not have the " +
		"value: flag (default), it has a warning; fail, it fails"},
}

var qualityKeys = []Key{
	{Name: "snr_last", Form: "{warn: 5, fail: 3}", Meaning: "least signal-to-noise ratio at the last echo"},
	{Name: "shift_px", Form: "{warn: 0.5, fail: 1}", Meaning: "largest shift in pixels between the first and the last " +
		"fitted echo"},
	{Name: "excluded_percent", Form: "{warn: 10, fail: 25}", Meaning: "largest share of excluded voxels of a compartment"},
	{Name: "voxels", Form: "{warn: 200, least: 50}", Meaning: "least number of voxels of a compartment"},
	{Name: "eroded_percent", Form: "5", Meaning: "largest difference between the mean without the voxels at the edge of " +
		"the mask and the mean of all voxels"},
	{Name: "volume_percent", Form: "20", Meaning: "largest difference between the volumes of a compartment at a visit " +
		"and at the baseline"},
	{Name: "t2_ms", Form: "[20, 70]", Meaning: "range of the mean T2 of a compartment of cartilage, in ms"},
	{Name: "saturated_percent", Form: "0", Meaning: "largest share of saturated voxels"},
	{Name: "zero_percent", Form: "1", Meaning: "largest share of voxels without signal at a fitted echo"},
	{Name: "stimulated_percent", Form: "15", Meaning: "largest difference between the ratio of the second echo to the " +
		"first and the same ratio of the fit; default: no limit"},
	{Name: "residual_chi2", Form: "3", Meaning: "largest residual χ² per degree of freedom; default: no limit"},
	{Name: "baseline", Form: "baseline", Meaning: "name of the visit with which scanner, acquisition and volume of a " +
		"subject's other visits are compared"},
}
