package report

// Reason is the kind of reason why a study has no result. It does not depend on the wording of the message, so that
// programs can count failures and sites can be asked the same question about each study of a kind.
type Reason string

// The reasons. docs/results.md explains each.
const (
	ReasonNoStudy       Reason = "no-study"       // the manifest lists a study whose images are not there
	ReasonIdentity      Reason = "identity"       // it is not known which subject or visit the study belongs to
	ReasonSide          Reason = "side"           // it is not known, or contradictory, which knee is shown
	ReasonNoSeries      Reason = "no-series"      // no series measures T2
	ReasonSeriesChoice  Reason = "series-choice"  // several series fit, or none fits the rule of the protocol
	ReasonEchoTimes     Reason = "echo-times"     // echo times are missing, too few or wrong
	ReasonGeometry      Reason = "geometry"       // the images do not lie on one grid with a known position
	ReasonAttributes    Reason = "attributes"     // other attributes are missing or contradictory
	ReasonAcquisition   Reason = "acquisition"    // the acquisition is not that of the protocol
	ReasonMissingImages Reason = "missing-images" // images of the series are missing
	ReasonDuplicates    Reason = "duplicates"     // several images have one place and one echo time
	ReasonDamaged       Reason = "damaged"        // files or pixels are damaged
	ReasonUnsupported   Reason = "unsupported"    // a part of DICOM that t2map does not read
	ReasonUnreadable    Reason = "unreadable"     // the system cannot read a file
	ReasonNoMask        Reason = "no-mask"        // there is no mask
	ReasonMask          Reason = "mask"           // the mask cannot be used
	ReasonRead          Reason = "read"           // readers have rejected the study, not signed its mask, or disagree
	ReasonRegistration  Reason = "registration"   // the images could not be aligned
	ReasonProgram       Reason = "program"        // the program that makes masks failed
	ReasonMemory        Reason = "memory"         // the study needs more memory than there is
	ReasonDisk          Reason = "disk"           // the disk is full or cannot be written
	ReasonSetting       Reason = "setting"        // a setting of the run does not suit the study
	ReasonResult        Reason = "result"         // an earlier result is unreadable or contradicts another
	ReasonPanic         Reason = "panic"          // an error in t2map
	ReasonNotDone       Reason = "not-done"       // the run ended before the study was done
	ReasonOther         Reason = "other"          // none of these
)

// reasonText explains a reason.
type reasonText struct {
	reason Reason
	// title is a heading, and request a sentence for the site; it is empty if the site cannot help.
	title, request string
}

// reasonTexts are all reasons, in the order in which they are shown.
var reasonTexts = []reasonText{
	{ReasonNoStudy, "Images that have not arrived",
		"We expect images of the studies below but have not received them; please send them."},
	{ReasonIdentity, "Subject or visit unclear",
		"Please tell us the subject code and the visit of each study below."},
	{ReasonSide, "Side of the knee unclear",
		"Please tell us whether each study below shows the left or the right knee."},
	{ReasonNoSeries, "No T2 series",
		"The studies below have no multi-echo spin-echo series; please send that series, or tell us that it was not " +
			"acquired."},
	{ReasonSeriesChoice, "Choice of the series",
		"Please tell us the number of the T2 series in each study below, and why there is more than one if so."},
	{ReasonEchoTimes, "Echo times",
		"The echo times in the images below are missing or cannot be right; please send the images as the scanner " +
			"wrote them, and the echo times of the acquisition."},
	{ReasonGeometry, "Position of the images",
		"The position or the size of the images below is missing or differs within one series; please send the " +
			"original series as one acquisition."},
	{ReasonAttributes, "Attributes of the images",
		"Attributes of the images below are missing or contradict each other; please send the images as the scanner " +
			"wrote them, and check the settings of your anonymiser."},
	{ReasonAcquisition, "Not acquired as the protocol says",
		"The studies below were not acquired as the imaging protocol says; please tell us why, and send the right " +
			"series if there is one."},
	{ReasonMissingImages, "Missing images",
		"Images of the series below are missing; please send the complete series again."},
	{ReasonDuplicates, "Images that occur more than once",
		"Images of the series below occur more than once; please send each acquisition as a series of its own, with " +
			"combined coils."},
	{ReasonDamaged, "Damaged files",
		"Files of the studies below are damaged; please send these studies again."},
	{ReasonUnsupported, "Formats that are not supported",
		"Please send the studies below as uncompressed DICOM, one image for each slice and echo."},
	{ReasonUnreadable, "Files that could not be opened", ""},
	{ReasonNoMask, "No mask",
		"Please send the segmentation of each study below."},
	{ReasonMask, "Mask that cannot be used",
		"The segmentations of the studies below cannot be used; please export them again on the T2 series."},
	{ReasonRead, "Studies that readers have not signed", ""},
	{ReasonRegistration, "Images that could not be aligned",
		"Please check that all series of each study below show the same knee, and tell us whether the subject moved."},
	{ReasonProgram, "Program that makes masks", ""},
	{ReasonMemory, "Not enough memory", ""},
	{ReasonDisk, "Disk", ""},
	{ReasonSetting, "Settings of the run", ""},
	{ReasonResult, "Earlier results", ""},
	{ReasonPanic, "Errors in t2map", ""},
	{ReasonOther, "Other reasons", ""},
	{ReasonNotDone, "Not done yet", ""},
}

// known returns the reason, or ReasonOther if it is not one of the reasons.
func (r Reason) known() Reason {
	for _, t := range reasonTexts {
		if t.reason == r {
			return r
		}
	}
	return ReasonOther
}
