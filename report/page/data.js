// The studies of the page. Every text of a study is data: it reaches the page as textContent only.

const studies = [];
const compartments = []; // names, in the order in which studies have them
const measures = new Map(); // key: label
const detailFiles = []; // addresses, with studiesOfDetails studies each
let studiesOfDetails = 0;
const details = new Map(); // number of the file: its studies
const done = 0,
  failed = 1,
  notDone = 2;

// The rule of outliers: Iglewicz and Hoaglin, How to Detect and Handle Outliers, 1993.
const zLimit = 3.5,
  zFactor = 0.6745,
  zLeast = 10;

const collator = new Intl.Collator("en", {numeric: true});

// addRows adds the studies of a file of rows.
function addRows(piece) {
  const names = piece.compartments.map(indexOfCompartment);
  for (const [key, label] of piece.measures) measures.set(key, label);
  detailFiles.push(...piece.details);
  for (const row of piece.rows) {
    const [id, subject, visit, side, folder, status, values, flags, warnings, reference, hash, reason, hint] = row;
    const s = {
      n: studies.length,
      id,
      subject,
      visit,
      side,
      folder,
      status,
      hash,
      t2: [],
      change: [],
      flags: [],
      outliers: [],
      warnings: warnings.map(n => piece.texts[n]),
      reference: reference < 0 ? null : piece.texts[reference],
      reason: reason === undefined ? "" : piece.texts[reason],
      hint: hint === undefined ? "" : piece.texts[hint]
    };
    for (let i = 0; i < values.length; i += 3) {
      s.t2[names[values[i]]] = values[i + 1];
      s.change[names[values[i]]] = values[i + 2];
    }
    for (let i = 0; i < flags.length; i += 3) {
      s.flags.push({
        measure: piece.measures[flags[i]][0],
        compartment: flags[i + 1] < 0 ? -1 : names[flags[i + 1]],
        fail: flags[i + 2] === 1
      });
    }
    studies.push(s);
  }
}

function indexOfCompartment(name) {
  const n = compartments.indexOf(name);
  return n >= 0 ? n : compartments.push(name) - 1;
}

window.t2map = Object.freeze({
  rows: addRows,
  details: list => {
    received = list;
  }
});
let received = null; // by the script of details that runs, until it is taken

// The only scripts that the page loads later are files of details beside it.
const policy = window.trustedTypes
  ? window.trustedTypes.createPolicy("t2map", {
      createScriptURL: url => {
        if (!/^page\/details-\d+-[0-9a-f]+\.js$/.test(url)) throw new TypeError("not a file of details");
        return url;
      }
    })
  : {createScriptURL: url => url};

// detailOf promises the details of a finished study. Details of another study are an error: the file is not that of
// this page.
async function detailOf(study) {
  const file = Math.floor(study.n / studiesOfDetails);
  if (!details.has(file)) details.set(file, loadDetails(detailFiles[file]));
  const detail = (await details.get(file))[study.n % studiesOfDetails];
  if (detail?.id !== study.id) throw new Error("details of another study");
  return detail;
}

function loadDetails(address) {
  return new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = policy.createScriptURL(address);
    script.onload = () => {
      const list = received;
      received = null;
      script.remove();
      if (list === null)
        reject(new Error(address)); // the file is damaged: a script with a syntax error loads, too
      else resolve(list);
    };
    script.onerror = () => reject(new Error(address));
    document.head.append(script);
  });
}

// hasCompartment reports whether a study has a row for a compartment, also one without a value.
function hasCompartment(study, c) {
  return study.t2[c] !== undefined;
}

const isNumber = x => typeof x === "number";

// orderStudies sorts studies by subject, visit and side, with the visits that are baselines first, and ranks them.
function orderStudies() {
  const baselines = new Set(studies.map(s => s.reference).filter(v => v !== null));
  const rankOf = (key, first) =>
    new Map(
      [...new Set(studies.map(s => s[key]))]
        .sort((a, b) => first.has(b) - first.has(a) || collator.compare(a, b) || (a < b ? -1 : 1))
        .map((v, n) => [v, n])
    );
  const subjects = rankOf("subject", new Set()),
    visits = rankOf("visit", baselines);
  for (const s of studies) {
    s.subjectRank = subjects.get(s.subject);
    s.visitRank = visits.get(s.visit);
  }
  const sorted = [...studies].sort(
    (a, b) =>
      a.subjectRank - b.subjectRank ||
      a.visitRank - b.visitRank ||
      (a.side < b.side ? -1 : a.side > b.side ? 1 : a.n - b.n)
  );
  sorted.forEach((s, n) => {
    s.rank = n;
  });
  return {sorted, visits: [...visits.keys()]};
}

// markOutliers adds to each study the compartments in which its T2 or its change is an outlier among all studies.
function markOutliers() {
  for (let c = 0; c < compartments.length; c++) {
    for (const kind of ["t2", "change"]) {
      const known = studies.filter(s => isNumber(s[kind][c]));
      if (known.length < zLeast) continue;
      const middle = median(known.map(s => s[kind][c]));
      const mad = median(known.map(s => Math.abs(s[kind][c] - middle)));
      if (mad === 0) continue;
      for (const s of known) {
        const z = (zFactor * (s[kind][c] - middle)) / mad;
        if (Math.abs(z) > zLimit) s.outliers.push({compartment: c, kind, z});
      }
    }
  }
}

function median(values) {
  const sorted = Float64Array.from(values).sort();
  const half = sorted.length >> 1;
  return sorted.length % 2 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}

// The words that the search looks at, in lower case. They are joined when they are first needed.
function wordsOf(s) {
  s.words ??= [s.subject, s.visit, s.side, s.folder, s.hash, s.reason, s.hint, ...s.warnings]
    .join("\n")
    .toLowerCase();
  return s.words;
}
