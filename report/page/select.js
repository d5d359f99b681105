// The state of the page, its address, and the selection of studies that follows from it.

const manyStudies = 12; // more are shown as a table first
const keys = [
  "view",
  "q",
  "subject",
  "visit",
  "status",
  "compartment",
  "flag",
  "t2-from",
  "t2-to",
  "change-from",
  "change-to",
  "sort",
  "order",
  "page",
  "open"
];
const noVisit = "(none)"; // choice of studies without a visit
const views = ["table", "studies", "subjects"];
let state = {};

function defaultView() {
  return studies.length <= manyStudies ? "studies" : "table";
}

// readAddress returns the state in the address of the page. Unknown keys are ignored.
function readAddress() {
  const given = new URLSearchParams(location.hash.slice(1));
  const s = {};
  for (const key of keys) s[key] = given.get(key) ?? "";
  if (!views.includes(s.view)) s.view = defaultView();
  return s;
}

// addressOf returns the hash of a state, without defaults.
function addressOf(s) {
  const out = new URLSearchParams();
  for (const key of keys) {
    if (s[key] !== "" && !(key === "view" && s.view === defaultView()) && !(key === "page" && s.page === "1"))
      out.set(key, s[key]);
  }
  return "#" + out.toString();
}

// matches returns a test of studies that follows from the state.
function matches(s) {
  const words = s.q
    .toLowerCase()
    .split(/\s+/)
    .filter(w => w !== "");
  const subject = s.subject.toLowerCase();
  const exact = studies.some(x => x.subject.toLowerCase() === subject);
  const isSubject = text => (exact ? text === subject : text.includes(subject));
  const only = s.compartment === "" ? -1 : compartments.indexOf(s.compartment);
  const flag = flagTest(s.flag, only);
  const limits = ["t2-from", "t2-to", "change-from", "change-to"].map(key => (s[key] === "" ? NaN : Number(s[key])));
  const limited = limits.some(x => !Number.isNaN(x));
  const status = {"": -1, done, failed, "not-done": notDone}[s.status] ?? -1;
  return study => {
    if (status >= 0 && study.status !== status) return false;
    if (s.visit !== "" && study.visit !== s.visit && !(s.visit === noVisit && study.visit === "")) return false;
    if (subject !== "" && !isSubject(study.subject.toLowerCase())) return false;
    if (s.compartment !== "" && !hasCompartment(study, only)) return false;
    if (flag && !flag(study)) return false;
    if (limited && !withinLimits(study, only, limits)) return false;
    return words.every(w => wordsOf(study).includes(w));
  };
}

// withinLimits reports whether one compartment of a study, or the chosen one, has a T2 and a change within the limits.
function withinLimits(study, only, [t2From, t2To, changeFrom, changeTo]) {
  const inside = (x, from, to) =>
    (Number.isNaN(from) && Number.isNaN(to)) || (isNumber(x) && !(x < from) && !(x > to));
  for (let c = 0; c < compartments.length; c++) {
    if ((only >= 0 && c !== only) || !hasCompartment(study, c)) continue;
    if (inside(study.t2[c], t2From, t2To) && inside(study.change[c], changeFrom, changeTo)) return true;
  }
  return false;
}

// flagTest returns the test of a choice of the list of flags, null if all studies pass. Flags of the whole study belong
// to every compartment.
function flagTest(choice, only) {
  const own = f => only < 0 || f.compartment < 0 || f.compartment === only;
  const flagged = s => s.flags.some(own);
  const outlier = s => s.outliers.some(own);
  switch (choice) {
    case "":
      return null;
    case "any":
      return flagged;
    case "fail":
      return s => s.flags.some(f => f.fail && own(f));
    case "warnings":
      return s => s.warnings.length > 0;
    case "outlier":
      return outlier;
    case "none":
      return s => s.status === done && !flagged(s) && !outlier(s) && s.warnings.length === 0;
  }
  const measure = choice.startsWith("measure:") ? choice.slice(8) : null;
  return s => s.flags.some(f => f.measure === measure && own(f));
}

// severity orders studies by what speaks against them.
function severity(s) {
  if (s.status !== done) return s.status === failed ? 1e6 : 2e6;
  return s.flags.filter(f => f.fail).length * 1e4 + s.flags.length * 100 + s.outliers.length * 10 + s.warnings.length;
}

// compareBy returns the order of a key of sorting. Studies without a value come last in both orders.
function compareBy(key, order) {
  const sign = order === "descending" ? -1 : 1;
  let value = s => s.subjectRank;
  const [kind, name] = [key.split(":", 1)[0], key.slice(key.indexOf(":") + 1)];
  if (kind === "visit") value = s => s.visitRank;
  if (kind === "quality") value = severity;
  if (kind === "t2" || kind === "change") {
    const c = compartments.indexOf(name);
    value = s => (isNumber(s[kind][c]) ? s[kind][c] : null);
  }
  return (a, b) => {
    const x = value(a),
      y = value(b);
    if (x === null || y === null) return (x === null) - (y === null) || a.rank - b.rank;
    return sign * (x - y) || a.rank - b.rank;
  };
}

function select(s, sorted) {
  const found = sorted.filter(matches(s));
  const key = s.sort === "" ? "subject" : s.sort;
  if (key !== "subject" || s.order !== "") found.sort(compareBy(key, s.order));
  return found;
}

// describeState says in words what is shown, for print.
function describeState(s) {
  const words = [];
  const add = (label, text) => {
    if (text !== "") words.push(label + " " + text);
  };
  add("search", s.q && "“" + s.q + "”");
  add("subject", s.subject);
  add("visit", s.visit);
  add("status", s.status);
  add("compartment", s.compartment);
  if (s.flag !== "") add("flag", document.getElementById("flag").selectedOptions[0]?.textContent ?? s.flag);
  for (const [key, label] of [
    ["t2", "T2"],
    ["change", "change"]
  ]) {
    if (s[key + "-from"] !== "") words.push(label + " ≥ " + s[key + "-from"] + " ms");
    if (s[key + "-to"] !== "") words.push(label + " ≤ " + s[key + "-to"] + " ms");
  }
  if (s.sort !== "") add("sorted by", document.getElementById("sort").selectedOptions[0]?.textContent ?? s.sort);
  return words.join("; ");
}
