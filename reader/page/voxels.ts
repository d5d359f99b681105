// Echoes, maps and other series of the open study, as the server has sent them. They are fetched when they are first
// shown; those that were not shown for longest are forgotten when there are too many.
import * as api from "./api";
import {app, changed} from "./state";

export type Data = Float32Array | Uint8Array;

// Most bytes that are kept. Seven echoes and six maps of 384 × 384 × 30 have 220 MB.
const most = 230e6;

const kept = new Map<string, Data>(); // the most recently used is last
const coming = new Map<string, Promise<Data>>();
const failed = new Map<string, string>();
let ended = new AbortController();

// forget forgets everything, for another study.
export function forget(): void {
  ended.abort();
  ended = new AbortController();
  kept.clear();
  coming.clear();
  failed.clear();
}

// peek returns what is there, and otherwise asks for it, so that "voxels" changes later.
export function peek(name: string): Data | null {
  const data = kept.get(name);
  if (data) {
    kept.delete(name);
    kept.set(name, data);
    return data;
  }
  if (!failed.has(name)) void load(name).catch(() => {});
  return null;
}

// ready returns what is there, and asks for nothing.
export const ready = (name: string): Data | null => kept.get(name) ?? null;

// problem returns why something is not there.
export const problem = (name: string): string => failed.get(name) ?? "";

// isLoading reports whether something was asked for and is not there.
export const isLoading = (): boolean => coming.size > 0;

// load returns echo-N, map-NAME or other-ID of a series, which is the open one.
export function load(name: string, order = app.order): Promise<Data> {
  const data = kept.get(name);
  if (data) return Promise.resolve(data);
  const before = coming.get(name);
  if (before) return before;
  const id = app.id,
    signal = ended.signal;
  const promise = fetchData(id, name, order?.voxels ?? 0, signal).then(
    data => {
      if (signal.aborted) return data;
      coming.delete(name);
      failed.delete(name);
      kept.set(name, data);
      trim();
      changed("voxels", "image");
      return data;
    },
    (e: unknown) => {
      if (!signal.aborted) {
        coming.delete(name);
        failed.set(name, e instanceof Error ? e.message : String(e));
        // A server that is back is asked once more.
        if (e instanceof api.Failure && e.isPassing) setTimeout(() => failed.delete(name) && changed("image"), 3000);
        changed("voxels");
      }
      throw e;
    }
  );
  coming.set(name, promise);
  return promise;
}

async function fetchData(id: string, name: string, voxels: number, signal: AbortSignal): Promise<Data> {
  const cut = name.indexOf("-");
  const kind = name.slice(0, cut),
    rest = name.slice(cut + 1);
  const {data} =
    kind === "echo"
      ? await api.echo(id, Number(rest), signal)
      : kind === "map"
        ? await api.map(id, rest, signal)
        : await api.otherVoxels(id, rest, signal);
  const isBytes = kind === "map" && rest === "status";
  const want = kind === "other" ? data.byteLength : voxels * (isBytes ? 1 : 4);
  if (data.byteLength !== want || want % 4 !== 0 && !isBytes) {
    throw new Error(`${name} has ${data.byteLength} bytes, want ${want}.`);
  }
  return isBytes ? new Uint8Array(data) : new Float32Array(data);
}

function trim(): void {
  let sum = 0;
  for (const d of kept.values()) sum += d.byteLength;
  for (const [name, d] of kept) {
    if (sum <= most) return;
    sum -= d.byteLength;
    kept.delete(name);
  }
}
