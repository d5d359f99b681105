// What the page knows, and who is told when it changes. Listeners run once per frame, whatever has changed how often.
import type {Draft, Item, Session, Study, Values, Vec2, Vec3, Voxel} from "./api";
import type {Order} from "./order";

// Topic is what a listener can wait for.
export type Topic =
  | "session" // once
  | "list" // the worklist
  | "study" // another study, or another draft of it
  | "voxels" // an echo or a map has arrived
  | "slice" // another slice
  | "image" // echo, overlay, window, opacity, interpolation
  | "mask" // labels of voxels
  | "values" // what the server says of the mask
  | "view" // zoom, pan, size
  | "tool" // tool, label, size, limits
  | "preview" // what is being drawn
  | "hover" // the voxel under the pointer
  | "pin" // the pinned voxel
  | "queue" // gestures that wait
  | "display"; // preferences

// Drawing is the drawing that is in progress.
export type Drawing = Omit<Draft, "changed" | "values">;

export const app = {
  session: null as Session | null,
  items: [] as Item[],
  // The open study. id is set as soon as it is asked for.
  id: "",
  study: null as Study | null,
  order: null as Order | null,
  // What is shown of it.
  k: 0,
  echo: 0,
  window: [0, 1] as Vec2,
  hover: null as Vec3 | null,
  pin: null as {voxel: Vec3; radius: number; answer: Voxel | null; problem: string} | null,
  // The mask of the drawing, or that of the study if there is no drawing, in the order of the series.
  labels: new Uint16Array(0),
  drawing: null as Drawing | null,
  values: null as Values | null,
  // The active label, 0 if there is none.
  label: 0,
  hasPen: false // a pen has been used: fingers do not draw
};

type Listener = (changed: ReadonlySet<Topic>) => void;
const listeners: {topics: Topic[]; run: Listener}[] = [];
let dirty = new Set<Topic>();
let frame = 0;

// on calls a function in the next frame after any of the topics has changed.
export function on(topics: Topic[], run: Listener): void {
  listeners.push({topics, run});
}

// changed says that topics have changed.
export function changed(...topics: Topic[]): void {
  for (const t of topics) dirty.add(t);
  if (frame === 0) frame = requestAnimationFrame(flush);
}

function flush(): void {
  frame = 0;
  const now = dirty;
  dirty = new Set();
  for (const l of listeners) if (l.topics.some(t => now.has(t))) l.run(now);
}

// isQuiet reports whether all listeners know all changes.
export const isQuiet = () => frame === 0;
