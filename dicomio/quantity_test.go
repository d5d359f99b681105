package dicomio

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/suyashkumar/dicom/pkg/uid"

	"github.com/t2map/t2map/dicomio/dicomwrite"
	"github.com/t2map/t2map/hint"
)

// Texts of people and scanners for T1ρ and T2*, and similar texts with another meaning.
func TestClaimsInTexts(t *testing.T) {
	for text, want := range map[string]string{
		"SAG T1rho": "T1rho", "T1RHO_TSL40": "T1RHO", "3D T1-rho map": "T1-rho", "t1_rho": "t1_rho", "T1 Rho": "T1 Rho",
		"T1ρ": "T1ρ", "sag T1ρw": "T1ρ",
		"T1 ρ 5 TSL": "T1 ρ", "T₁ρ": "T₁ρ", "T1ᵨ": "T1ᵨ", "R1rho": "R1rho", "T2ρ": "T2ρ",
		"T1 rho/T2 combined": "T1 rho", "sagT1rhoPrep": "T1rho",
		"spin lock": "spin lock", "SPIN-LOCK": "SPIN-LOCK", "T2 (Spinlock prep)": "Spinlock", "cubequant": "cubequant",
		"Cube Quant": "Cube Quant", "3D MAPSS": "MAPSS",
		"TSL 10 20 40": "TSL", "KNEE_TSL": "TSL", "tsl40": "tsl", "4TSL": "TSL", "T1r": "T1r", "sag_t1p_map": "t1p",
		"T2*": "T2*", "SAG T2*MAP": "T2*", "T2 * w": "T2 *", "T2star": "T2star", "t2_star_map": "t2_star",
		"T2-STAR": "T2-STAR", "R2*": "R2*", "R2 star": "R2 star",
		"T1 (rho)": "T1 (rho", "T1ro": "T1ro", "spinlck": "spinlck", "SPIN_LK 5": "SPIN_LK ", "T2s map": "T2s",
		"GRE T2s": "T2s", "T2S GRE": "T2S", "MAPSS": "MAPSS",
		"T2 and T1rho": "T1rho", "T2 mapss T1rho": "T1rho", "spin lock off": "spin lock", "T2 and T2*": "T2*",
		"SAG T2 MAPSS": "", "mapss_t2": "", "T2S SAG": "", "T2S MAP": "", "T2SE": "", "T1 ROT": "", "T1 (RHOMBOID)": "",
		"SPINLKE":     "",
		"T2＊ mapping": "T2＊", "SWI": "SWI", "swi_phase": "swi", "QSM": "QSM", "T2_STAR": "T2_STAR",

		"**T2* map**": "T2*", "*T2**": "T2*", "T2* 8 echoes": "T2*", "not T2, T1rho": "T1rho",
		"no T1rho, but T2*": "T2*", "Knee No 3 T1rho": "T1rho",
		"*T2*": "", "**SAG T2**": "", "SAG *T2* FS": "", "***": "", "*": "", "T2 *8 echoes": "", "T2 * 8 echoes": "",
		"Sag T2 (no T1rho)": "", "T2 without spin-lock": "", "T2, not T2*": "",
		"T2_map": "", "T2 MAPPING": "", "MAPIT T2": "", "T2 map SAG": "", "SAG T2 MAP RT": "", "se_mc": "",
		"*se2d1r8": "", "*se2d1rr8": "", "T2 STARVIBE": "", "T2 START": "",
		"T1 Rhode Island": "", "RHO": "", "PRHO": "", "thorough": "", "spin echo": "", "spin echo block": "",
		"clock": "", "SWING": "", "SWISS": "", "TSLA": "", "ATSL": "", "T1": "",
		"T1 RT knee": "", "T1 right": "", "T1 POST": "", "T1PD": "", "FSE-T2": "", "T2 Relaxometry15": "", "n*8.0": "",
		"MAPS": "", "MAPSSS": "", "CartiGram": "", "": "",
	} {
		_, words, ok := claimIn(text, true)
		if words != want || ok != (want != "") {
			t.Errorf("%q says %q, want %q", text, words, want)
		}
		if ok && !mayClaim(text) {
			t.Errorf("%q is passed over", text)
		}
	}
	for text, want := range map[string]bool{ // of private attributes
		"3DT1RHO": true, "/usr/g/bin/cubequant": true, "spin_lock": true, "T2*": true, "T2_STAR": true,
		"SpinLock=1": true, "SpinLock=0.5": true, "spin lock 0 10 20 40": true, `spin lock 0\10\20`: true,
		"SpinLock=0; SpinLockTime=40": true, "<SpinLock>1</SpinLock>": true, "spin lock on": true,
		"SpinLock=0": false, "SpinLock=0.0": false, "spin lock off": false, "Spin-Lock: None": false,
		"spin_lock_off": false, "SpinLockEnabled=false": false, "SpinLock = no, TR=5": false,
		"sPrepPulses.ucSpinLock = 0x0": false, "sPrepPulses.ucSpinLock\t = \t0x00": false,
		`<ParamLong."SpinLockTime"> { <Default> 0 }`: false, "Spin-Lock Prep    None": false,
		"m_bSpinLock = FALSE": false,
		`<ParamLong."SpinLockFrequency"> { <Default> 500 <LimitRange> { 0 1000 } }`:                false,
		`<ParamChoice."SpinLock"> { <Default> <ParamString.""> { "Off" } <Limit> { "Off" "On" } }`: false,
		"sPrepPulses.ucSpinLock = 0x1": true, `<ParamLong."SpinLockTime"> { <Default> 40 }`: true,
		`<ParamLong."SpinLockFrequency"> { <Default> 0 <LimitRange> { 0 1000 } 500 }`: true,
		`<ParamChoice."SpinLock"> { <Default> <ParamString.""> { "On" } }`:            true,
		"Spin-Lock Prep 500 Hz": true, "SPINLOCK_GEMS": true, "T1rho weighted": true,
		"<SpinLock>0</SpinLock>": false, `<ParamLong."SpinLock"> { }`: false,
		`<ParamBool."SpinLock"> { "false" }`: false, "SpinLockTime=0; x": false, "no spin lock": false,
		"coil for T1rho and T2 projects": false, "T2_T1rho": false, "T2* and T2": false, "T2*/T1rho": true,
		"MAPSS": true, "MAPSS T2": false,
		"TSL": false, "T1R": false, "SWI": false, "R2*0.5": false, "CT2*": false, "SRMode=120": false,
		"GEHCmgHxAnOWwC5wbqfzHVkgYpYFLNQL": false,
	} {
		if _, _, ok := claimIn(text, false); ok != want {
			t.Errorf("%q in a private attribute: %t", text, ok)
		}
	}
}

// One image that names the quantity is enough, in any attribute; the reason has the words
// and the attribute, but not the rest of the text.
func TestTrainOfAnotherQuantity(t *testing.T) {
	override := func(keyword string, values ...string) func(*dicomwrite.Image) {
		return func(im *dicomwrite.Image) {
			im.Overrides = append(im.Overrides, dicomwrite.Override{Keyword: keyword, Values: values})
		}
	}
	private := func(group, creator uint16, name string, element uint16, value string) func([]byte, bool) []byte {
		return func(file []byte, implicit bool) []byte {
			if implicit {
				file = inserted(t, file, true, le(group, creator, "", uint32(len(name)), []byte(name)...))
				return inserted(t, file, true, le(group, element, "", uint32(len(value)), []byte(value)...))
			}
			return inserted(t, inserted(t, file, false, textElement(group, creator, "LO", name)), false,
				textElement(group, element, "LO", value))
		}
	}
	long := func(vr, value string) func([]byte, bool) []byte {
		return func(file []byte, implicit bool) []byte {
			creator := textElement(0x0029, 0x10, "LO", "SITE")
			if implicit {
				vr, creator = "", le(0x0029, 0x10, "", 4, []byte("SITE")...)
			}
			file = inserted(t, file, implicit, creator)
			return inserted(t, file, implicit, le(0x0029, 0x1020, vr, uint32(len(value)), []byte(value)...))
		}
	}
	protocol := strings.Repeat("\x00\x01\xffulong\x00", 10_000) + "tSequenceFileName = \"%CustomerSeq%\\T1rho\"\n" +
		strings.Repeat("\x00", 9000)
	for _, c := range []struct {
		name   string
		change func(*dicomwrite.Image)
		add    func([]byte, bool) []byte
		want   string // "" for a train of T2
	}{
		{"description", func(im *dicomwrite.Image) { im.SeriesDescription = "J. DOE SAG T1rho" }, nil,
			`SeriesDescription (0008,103E) says "T1rho" in IM_0011: the series measures T1ρ, not T2`},
		{"Greek", func(im *dicomwrite.Image) {
			override("SpecificCharacterSet", "ISO_IR 126")(im)
			im.SeriesDescription = "T1\xF1"
		}, nil, `"T1ρ"`},
		{"scan options", override("ScanOptions", "FAST_GEMS", "SPINLOCK_GEMS"), nil,
			`ScanOptions (0018,0022) says "SPINLOCK"`},
		{"derivation", override("DerivationDescription", "T1rho weighted"), nil,
			`DerivationDescription (0008,2111) says "T1rho"`},
		{"FLASH", func(im *dicomwrite.Image) { override("ScanningSequence", "RM")(im); im.SequenceName = "*fl3d1" },
			nil, `SequenceName (0018,0024) says "*fl3d1", gradient echo`},
		{"a name beside SE", func(im *dicomwrite.Image) {
			override("ScanningSequence",
				"SE")(im)
			im.SequenceName = "gre"
		}, nil, ""},
		{"another name", func(im *dicomwrite.Image) {
			override("ScanningSequence",
				"RM")(im)
			im.SequenceName = "*se2d8"
		}, nil, ""},
		{"protocol of T1ρ and T2, description of none", func(im *dicomwrite.Image) {
			override("ProtocolName", "KNEE T1RHO + T2")(im)
			im.SeriesDescription = "SAG MAP"
		}, nil, `ProtocolName (0018,1030) says "T1RHO"`},
		{"protocol", override("ProtocolName", "knee spin-lock 5 TSL"), nil,
			`ProtocolName (0018,1030) says "spin-lock"`},
		{"sequence", func(im *dicomwrite.Image) { im.SequenceName = "tsl_tse" }, nil,
			`SequenceName (0018,0024) says "tsl"`},
		{"pulse sequence", override("PulseSequenceName", "CubeQuant"), nil,
			`PulseSequenceName (0018,9005) says "CubeQuant"`},
		// of another type, and left out
		{"image type", func(im *dicomwrite.Image) { im.ImageType = []string{"ORIGINAL", "PRIMARY", "M", "T1RHO"} }, nil,
			""},
		{"contrast", override("AcquisitionContrast", "T2_STAR"), nil,
			`AcquisitionContrast (0008,9209) says "T2_STAR" in IM_0011: the series measures T2*, not T2`},
		{"private", nil, private(0x0019, 0x10, "GEMS_ACQU_01", 0x109E, "3DT1RHO"), `private (0019,109E) says "T1RHO"`},
		{"of an unknown vendor", nil, private(0x0077, 0x10, "NOBODY", 0x1001, "a spin lock of 500 Hz"),
			`private (0077,1001) says "spin lock"`},
		{"exam card", nil, private(0x2001, 0x10, "Philips Imaging DD 001", 0x10C8, "KNEE T1rho + T2"), ""},
		{"MAPSS beside T2 in the description", override("PulseSequenceName", "MAPSS"),
			private(0x0019, 0x10, "GEMS_ACQU_01", 0x109E, "MAPSS"), ""},
		{"MAPSS of T1ρ", override("PulseSequenceName", "MAPSS"),
			private(0x0019, 0x10, "GEMS_ACQU_01", 0x109E, "3D_T1rho"), `private (0019,109E) says "T1rho"`},
		{"spin lock off", nil, private(0x0077, 0x10, "NOBODY", 0x1001, "SpinLock=0"), ""},
		{"of a coil", nil, private(0x0077, 0x10, "NOBODY", 0x1001, "coil for T1rho and T2 projects"), ""},
		{"protocol among bytes", nil, long("OB", protocol), `private (0029,1020) says "T1rho"`},
		{"long text", nil, long("UT", strings.Repeat("x\n", 1500)+"3D spin-lock, TR 5"),
			`private (0029,1020) says "spin-lock"`},
		{"UN with control bytes", nil, long("UN", "\x00\x01 T1rho \x00\x03"), `private (0029,1020) says "T1rho"`},
		{"protocol of both", nil, long("OB", strings.ReplaceAll(protocol, "T1rho", "T2 T1rho")), ""},
		{"too short a run", nil, long("OB", strings.Repeat("\x01", 2000)+"T1rho"+strings.Repeat("\x01", 2001)), ""},
		{"comment", override("ImageComments", "TSL 10 ms T1rho"), nil, `ImageComments (0020,4000) says "T1rho"`},
		{"comment on both", override("ImageComments", "T1rho follows T2"), nil, ""},
		{"private numbers", nil, private(0x0019, 0x10, "GEMS_ACQU_01", 0x109E, "T1rho\x01\x02"), ""},
		{"gradient echo", override("ScanningSequence", "GR"), nil,
			`ScanningSequence (0018,0020) says "GR", gradient echo`},
		{"gradient echo behind EchoPulseSequence", func(im *dicomwrite.Image) {
			override("ScanningSequence", "GR")(im)
			override("EchoPulseSequence", "SPIN")(im)
		}, nil, `ScanningSequence (0018,0020) says "GR", gradient echo`},
		{"EchoPulseSequence", override("EchoPulseSequence", "GRADIENT"), nil,
			`EchoPulseSequence (0018,9008) says "GRADIENT", gradient echo`},
		{"gradient and spin echo", override("ScanningSequence", "SE", "GR"), nil, ""},
	} {
		for _, syntax := range []string{"", uid.ImplicitVRLittleEndian} {
			images := trainOf()
			dir := t.TempDir()
			for n := range images {
				images[n].Syntax, images[n].SeriesDescription = syntax, "SAG T2 MAP"
			}
			last := len(images) - 1
			if c.change != nil {
				c.change(&images[last])
			}
			saveFiles(t, dir, images, func(n int, file []byte) []byte {
				if c.add != nil && n == last {
					return c.add(file, syntax != "")
				}
				return file
			})
			s := find(t, dir).Studies[0]
			if c.want == "" {
				if len(s.Trains) != 1 || s.Trains[0].Claim != nil {
					t.Errorf("%s: %+v", c.name, s.Suspects)
				}
				continue
			}
			if len(s.Trains) != 0 || len(s.Suspects) != 1 {
				t.Fatalf("%s %s: %d trains, %d suspects", c.name, syntax, len(s.Trains), len(s.Suspects))
			}
			p := s.Suspects[0].Problem
			if !strings.Contains(p.Error(), c.want) || strings.Contains(p.Error(), "DOE") ||
				!strings.Contains(hint.Find(p), "quantity: T2") || !errors.Is(p, ErrInvalid) {
				t.Errorf("%s: %v, want …%s…", c.name, p, c.want)
			}
			// Its first echo is an anatomy like others.
			if first := s.Suspects[0].FirstEcho(); first.Problem != nil {
				t.Errorf("%s: first echo: %v", c.name, first.Problem)
			}
			// A user who knows better can read it anyway.
			if forced := s.Suspects[0].AsT2(); forced.Problem != nil || forced.Claim == nil {
				t.Errorf("%s: as T2 it has the problem %v", c.name, forced.Problem)
			} else if _, _, err := Read(t.Context(), forced, 0); err != nil {
				t.Errorf("%s: as T2: %v", c.name, err)
			}
		}
	}
}

// Private texts in a frame's groups, and the type of a frame, count too; other faults of
// such a train are its faults as T2.
func TestClaimsOfFrames(t *testing.T) {
	for name, inFrame := range map[string]func(int) []byte{
		"private": func(n int) []byte {
			return sequenceElement(0x2005, 0x140F, true, append(textElement(0x2005, 0x0010, "LO", "SITE"),
				textElement(0x2005, 0x1077, "LO", fmt.Sprint("T1rho ", n))...))
		},
		"contrast": func(int) []byte {
			return sequenceElement(0x0018, 0x9226, true, append(textElement(0x0008, 0x9007, "CS",
				`ORIGINAL\PRIMARY\M\NONE`), textElement(0x0008, 0x9209, "CS", "T2_STAR")...))
		},
	} {
		dir := t.TempDir()
		write(t, filepath.Join(dir, "object"), multiFrame{frames: 9, rows: 3, columns: 5, defined: true,
			pixels: nativePixels(9 * 15), inFrame: inFrame}.file(t, ""))
		s := find(t, dir).Studies[0]
		if len(s.Suspects) != 1 || s.Suspects[0].Claim == nil {
			t.Errorf("%s: %+v", name, s)
		}
	}
	images := trainOf()[1:]
	for n := range images {
		images[n].SeriesDescription = "T1rho"
	}
	dir := t.TempDir()
	save(t, dir, images)
	if forced := find(t, dir).Studies[0].Suspects[0].AsT2(); forced.Problem == nil ||
		!strings.Contains(forced.Problem.Error(), "is missing at slice") {
		t.Errorf("as T2: %v", forced.Problem)
	}
}

// A T1ρ series whose spin-lock times are not in EchoTime has one echo time and many images
// in one place: the words are the reason, not the echo time.
func TestClaimOfOneEchoTime(t *testing.T) {
	images := trainOf()
	for n := range images {
		images[n].TE, images[n].SeriesDescription = 10, "T1rho MAPSS"
	}
	dir := t.TempDir()
	save(t, dir, images)
	s := find(t, dir).Studies[0]
	if len(s.Suspects) != 1 || !strings.Contains(s.Suspects[0].Problem.Error(), `"T1rho"`) ||
		s.Suspects[0].AsT2().Problem == nil {
		t.Errorf("%+v", s)
	}
}

func BenchmarkMayClaim(b *testing.B) {
	texts := []string{"SAG T2 MAP RIGHT", "SRMode=120", "IEC_FIRST_LEVEL", "*se2d1r8", `ORIGINAL\PRIMARY\M\SE`}
	for b.Loop() {
		for _, text := range texts {
			if mayClaim(text) {
				b.Fatal(text)
			}
		}
	}
}

// Parts of words are found at both ends of a block and in letters of either case.
func TestMayHoldWord(t *testing.T) {
	for text, want := range map[string]bool{
		"": false, "rho": true, "xxRHO": true, "T1rHoxx": true, "LOCK": true, "a spin lock": true, "hhhkkk": false,
		"ho": false, "rh": false, "loc": false, "ock": false, "rhh rho": true, "k lck lock": true, "r ho l ock": false,
	} {
		if got := mayHoldWord([]byte(text)); got != want {
			t.Errorf("%q: %t", text, got)
		}
	}
}

// The name of a protocol of T1ρ and T2 does not refuse a series that is described as T2,
// and is recorded; it does not hide the claim of a private text.
func TestProtocolOfBothQuantities(t *testing.T) {
	for _, c := range []struct {
		protocol, comment string
		mention, refused  bool
	}{
		{"KNEE T1RHO + T2", "", true, false},
		{"T2, T2* and T2 maps", "", true, false},
		{"KNEE T1RHO", "", false, true},
		{"KNEE T1RHO + T2", "TSL 10 ms T1rho", false, true},
		{"KNEE T2", "", false, false},
	} {
		images := trainOf()
		for n := range images {
			images[n].SeriesDescription = "SAG T2 MAP"
			set(&images[n], "ProtocolName", c.protocol)
			if c.comment != "" {
				set(&images[n], "ImageComments", c.comment)
			}
		}
		dir := t.TempDir()
		save(t, dir, images)
		s := find(t, dir).Studies[0]
		switch {
		case c.refused:
			if len(s.Suspects) != 1 {
				t.Errorf("%q, %q: not refused", c.protocol, c.comment)
			}
		case len(s.Trains) != 1 || s.Trains[0].Claim != nil || (s.Trains[0].Mention != nil) != c.mention:
			t.Errorf("%q: %+v", c.protocol, s)
		case c.mention && s.Trains[0].Mention.Attribute != "ProtocolName (0018,1030)":
			t.Errorf("%q: %+v", c.protocol, s.Trains[0].Mention)
		}
	}
}
