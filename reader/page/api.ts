// The server's interface: its types, its addresses, and how a request fails. The types are those of reader/api.go. Times
// are in ms and lengths in mm; a number that does not exist is null.

export type Vec2 = [number, number];
export type Vec3 = [number, number, number];
export type Num = number | null;

// Run is [first voxel, number of voxels, label].
export type Run = [number, number, number];

export interface Session {
  user: string;
  role: string;
  blind: boolean;
  password: boolean;
  labels: Label[];
  reasons: string[] | null;
  meanings: string[] | null;
  states: string[];
  ramp: Vec3[];
  version: string;
}

export interface Label {
  value: number;
  name: string;
  color: Vec3;
}

export type State = "to read" | "draft" | "signed" | "query" | "rejected";

export interface Item {
  id: string;
  name: string;
  subject?: string;
  visit?: string;
  state: State;
  problem?: string;
  // Readers are the states at all readers, for managers.
  readers?: {reader: string; state: State}[];
}

export interface Grid {
  size: Vec3;
  spacing_mm: Vec3;
  affine: [number[], number[], number[]];
  letters: [string, string, string, string];
  show: {transpose: boolean; flip_x: boolean; flip_y: boolean};
  plane: string;
}

export interface MapInfo {
  name: string;
  title: string;
  unit: string;
  range: Vec2;
}

export interface OtherInfo {
  id: string;
  name: string;
}

export interface Other extends OtherInfo {
  grid: Grid;
  window: Vec2;
}

export interface Start {
  id: string;
  name: string;
  problem?: string;
}

// Done is a read that is finished.
export interface Done {
  revision: number;
  state: State;
  time: string;
  name?: string;
  meaning?: string;
  text?: string;
  reason?: string;
  change?: string;
  mask_sha256: string;
}

export interface Study {
  id: string;
  name: string;
  grid: Grid;
  te_ms: number[];
  fitted: boolean[];
  method: string;
  window: Vec2;
  maps: MapInfo[] | null;
  others: OtherInfo[] | null;
  starts: Start[] | null;
  draft: Draft | null;
  reads: Done[] | null;
  warning?: string;
}

export interface At {
  drawing: string;
  step: number;
}

export interface Step {
  step: number;
  changed: Run[] | null;
  undo: number;
  redo: number;
  values: Values;
}

export interface Draft extends Step {
  drawing: string;
  warning?: string;
}

// Gesture is what a tool does, without the state of the drawing, which the queue adds when it sends it.
export interface Gesture {
  tool: string;
  label: number;
  slice: number;
  points?: Vec2[];
  radius_mm?: number;
  only?: string;
  limits?: Vec2;
  keep?: boolean;
  erase?: number;
  from?: number;
  all?: boolean;
}

export interface Values {
  rows: Row[] | null;
  // Compartments are in the answer to values only.
  compartments: Row[] | null;
  note?: string;
  bin_ms: number;
}

export interface Row {
  name: string;
  label?: number;
  voxels: number;
  used: number;
  mean_t2_ms: Num;
  sd_t2_ms: Num;
  median_t2_ms: Num;
  note?: string;
  counts: number[] | null;
}

export interface Voxel {
  index: Vec3;
  position_mm: Vec3;
  voxels: number;
  signal: Num[];
  fits: Fit[] | null;
}

export interface Fit {
  method: string;
  t2_ms: Num;
  se_ms: Num;
  s0: Num;
  r2: Num;
  status: string;
  problem?: string;
  curve_te_ms: Num[] | null;
  curve: Num[] | null;
  residuals: Num[] | null;
}

export interface Pulse extends At {
  tabs: number;
}

export interface Signature {
  state: State;
  name: string;
  meaning: string;
  text: string;
  reason: string;
  change: string;
  decides: string[];
  password: string;
}

export interface Comparison {
  reads: Compared[] | null;
  rows: {name: string; label: number; dice: Num; p95_mm: Num}[] | null;
}

export interface Compared {
  reader: string;
  sum: string;
  state: State;
  reason?: string;
  revision: number;
  mask: Run[] | null;
  values: Values;
}

// Failure is a request that was refused or not answered. Its status is 0 if there was no answer: then nobody knows
// whether the server has done what it was asked.
export class Failure extends Error {
  constructor(
    readonly status: number,
    message: string,
    readonly hint = ""
  ) {
    super(message);
  }

  // isPassing reports whether the same request may succeed later.
  get isPassing(): boolean {
    return this.status === 0 || this.status === 401 || this.status === 429 || this.status >= 502;
  }
}

// Requests that take longer than this many ms count as not answered. Studies and images may come over a slow network.
const patience = 20000,
  patienceForImages = 180000;

async function request(path: string, init: RequestInit = {}, ms = patience): Promise<Response> {
  const timeout = AbortSignal.timeout(ms);
  const signal = init.signal ? AbortSignal.any([init.signal, timeout]) : timeout;
  let answer: Response;
  try {
    answer = await fetch("/api/" + path, {...init, signal, credentials: "same-origin", redirect: "error"});
  } catch (e) {
    if (init.signal?.aborted) throw e;
    throw new Failure(0, "The server does not answer.");
  }
  if (answer.ok) return answer;
  const text = await answer.text().catch(() => "");
  let message = text.trim().slice(0, 500) || `The server answered ${answer.status}.`;
  let hint = "";
  try {
    const problem = JSON.parse(text) as {error?: string; hint?: string};
    if (problem.error) message = problem.error;
    hint = problem.hint ?? "";
  } catch {
    // The answer is not from t2map; the text is all there is.
  }
  throw new Failure(answer.status, message, hint);
}

async function get<T>(path: string, signal?: AbortSignal, ms = patience): Promise<T> {
  const answer = await request(path, {signal}, ms);
  return body(() => answer.json() as Promise<T>, signal);
}

async function post<T>(path: string, value: unknown): Promise<T> {
  const answer = await request(path, {
    method: "POST",
    headers: {"Content-Type": "application/json"},
    body: JSON.stringify(value)
  });
  return body(() => answer.json() as Promise<T>);
}

// body reads an answer to its end. A connection that breaks in between is a failure without an answer.
async function body<T>(read: () => Promise<T>, signal?: AbortSignal): Promise<T> {
  try {
    return await read();
  } catch (e) {
    if (signal?.aborted) throw e;
    throw new Failure(0, "The server's answer was cut off.");
  }
}

async function bytes(path: string, signal?: AbortSignal): Promise<{data: ArrayBuffer; step: number}> {
  const answer = await request(path, {signal}, patienceForImages);
  const data = await body(() => answer.arrayBuffer(), signal);
  return {data, step: Number(answer.headers.get("Step"))};
}

const of = (id: string) => "cases/" + encodeURIComponent(id);

export const session = () => get<Session>("session");
export const cases = () => get<Item[]>("cases");
export const study = (id: string, signal?: AbortSignal) => get<Study>(of(id), signal, patienceForImages);
export const echo = (id: string, n: number, signal?: AbortSignal) => bytes(`${of(id)}/echoes/${n}`, signal);
export const map = (id: string, name: string, signal?: AbortSignal) =>
  bytes(`${of(id)}/maps/${encodeURIComponent(name)}`, signal);
export const mask = (id: string, signal?: AbortSignal) => bytes(`${of(id)}/mask`, signal);
export const other = (id: string, series: string, signal?: AbortSignal) =>
  get<Other>(`${of(id)}/others/${encodeURIComponent(series)}`, signal);
export const otherVoxels = (id: string, series: string, signal?: AbortSignal) =>
  bytes(`${of(id)}/others/${encodeURIComponent(series)}/voxels`, signal);
export const values = (id: string, signal?: AbortSignal) => get<Values>(`${of(id)}/values`, signal);
export const voxel = (id: string, v: number, signal?: AbortSignal) => get<Voxel>(`${of(id)}/voxel?v=${v}`, signal);
export const brush = (id: string, v: number, mm: number, signal?: AbortSignal) =>
  get<Voxel>(`${of(id)}/brush?v=${v}&mm=${mm}`, signal);
export const pulse = (id: string, tab: string) => get<Pulse>(`${of(id)}/pulse?tab=${tab}`);
// leave says that a tab no longer shows a study. Nobody waits for the answer: the tab may be closing.
export function leave(id: string, tab: string): void {
  fetch(`api/${of(id)}/pulse?tab=${tab}&gone=1`, {keepalive: true}).catch(() => {});
}
export const begin = (id: string, start: string) => post<Draft>(`${of(id)}/begin`, {start});
export const stroke = (id: string, at: At, gesture: Gesture) => post<Step>(`${of(id)}/stroke`, {...at, ...gesture});
export const undo = (id: string, at: At) => post<Step>(`${of(id)}/undo`, at);
export const redo = (id: string, at: At) => post<Step>(`${of(id)}/redo`, at);
export const sign = (id: string, at: At, signature: Signature) => post<Done>(`${of(id)}/sign`, {drawing: at.drawing, step: at.step, ...signature});
export const masks = (id: string) => get<Comparison>(`${of(id)}/masks`);
