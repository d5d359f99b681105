// Mouse, pen and fingers on a pane. The left button draws or, without a drawing tool, moves the image; the right one
// changes the window, the middle one moves the image, the wheel turns slices. Two fingers zoom and move; one that does not
// draw turns slices, or moves the image when it is magnified.
import type {Vec2} from "./api";
import type {Pane} from "./pane";
import {app} from "./state";

// Actions are what a pane does with the pointer. Places are in the window; voxels are continuous (i, j).
export interface Actions {
  hover(voxel: Vec2 | null): void;
  click(voxel: Vec2, isMean: boolean): void;
  turn(slices: number): void;
  window(dx: number, dy: number): void;
  // A tool: start returns whether it takes the pointer.
  start(voxel: Vec2): boolean;
  path(voxels: Vec2[]): void;
  end(voxel: Vec2): void;
  cancel(): void;
  // finish is a double click.
  finish(): void;
  draws(): boolean; // whether a tool is active
}

type Mode = "tool" | "pan" | "window" | "pinch" | "click";

// A pointer that has moved no further is clicked, in pixels.
const clickLimit = 4;
// A wheel turns a slice with so many pixels.
const wheelStep = 60;
// A finger turns a slice with so many pixels.
const swipeStep = 24;

export const keysDown = {space: false};

export function listen(pane: Pane, actions: Actions): void {
  const e = pane.marks;
  const pointers = new Map<number, Vec2>();
  let mode: Mode | null = null,
    from: Vec2 = [0, 0],
    last: Vec2 = [0, 0],
    isClick = false,
    penIsDown = false,
    wheel = 0;

  const place = (ev: MouseEvent): Vec2 => [ev.clientX, ev.clientY];
  const voxel = (p: Vec2) => pane.voxelAt(...p);

  function modeOf(ev: PointerEvent): Mode {
    if (ev.button === 1 || keysDown.space) return "pan";
    if (ev.button === 2) return "window";
    if (ev.shiftKey || ev.altKey) return "click";
    if (ev.pointerType === "touch" && app.hasPen) return "pan";
    if (actions.draws() && actions.start(voxel(place(ev)))) return "tool";
    return actions.draws() ? "click" : "pan";
  }

  e.addEventListener("pointerdown", ev => {
    if (!pane.order) return;
    ev.preventDefault();
    e.focus({preventScroll: true});
    if (ev.pointerType === "pen") app.hasPen = true;
    if (ev.pointerType === "touch" && penIsDown) return; // a hand rests on the screen
    if (ev.pointerType === "pen") {
      penIsDown = true;
      pointers.clear();
      if (mode === "tool") actions.cancel();
      mode = null;
    }
    pointers.set(ev.pointerId, place(ev));
    e.setPointerCapture(ev.pointerId);
    if (pointers.size === 2) {
      if (mode === "tool") actions.cancel();
      mode = "pinch";
      return;
    }
    if (pointers.size > 2) return;
    from = last = place(ev);
    isClick = true;
    mode = modeOf(ev);
    if (mode === "pan") e.classList.add("moving");
  });

  e.addEventListener("pointermove", ev => {
    const now = place(ev);
    if (ev.pointerType !== "touch") actions.hover(pane.order ? voxel(now) : null);
    if (!pointers.has(ev.pointerId) || mode === null) return;
    if (mode === "pinch") {
      pinch(ev.pointerId, now);
      return;
    }
    if (Math.hypot(now[0] - from[0], now[1] - from[1]) > clickLimit) isClick = false;
    const [dx, dy] = [now[0] - last[0], now[1] - last[1]];
    if (mode === "pan" && !isClick) {
      if (ev.pointerType === "touch" && pane.isWhole) swipe(dy);
      else pane.pan(dx, dy);
    }
    if (mode === "window") actions.window(dx, dy);
    if (mode === "tool") {
      const all = ev.getCoalescedEvents?.() ?? [];
      actions.path((all.length > 0 ? all : [ev]).map(c => voxel(place(c))));
    }
    if (mode !== "pan" || !isClick) last = now;
    pointers.set(ev.pointerId, now);
  });

  // swipe turns slices by a finger that moves up or down, as long as there is nothing to pan.
  function swipe(dy: number): void {
    wheel += dy;
    const turns = Math.trunc(wheel / swipeStep);
    if (turns === 0) return;
    wheel -= turns * swipeStep;
    actions.turn(turns);
  }

  function pinch(id: number, now: Vec2): void {
    if (pointers.size < 2) return; // the other finger was lifted first
    const [a, b] = [...pointers.values()];
    const before = Math.hypot(a[0] - b[0], a[1] - b[1]),
      middle: Vec2 = [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2];
    pointers.set(id, now);
    const [c, d] = [...pointers.values()];
    const after = Math.hypot(c[0] - d[0], c[1] - d[1]);
    pane.pan((c[0] + d[0]) / 2 - middle[0], (c[1] + d[1]) / 2 - middle[1]);
    if (before > 8 && after > 8) pane.magnify(after / before, (c[0] + d[0]) / 2, (c[1] + d[1]) / 2);
  }

  function release(ev: PointerEvent, isCancelled: boolean): void {
    if (ev.pointerType === "pen") penIsDown = false;
    if (!pointers.delete(ev.pointerId) || mode === null) return;
    const now = place(ev);
    if (mode === "tool") {
      if (isCancelled) actions.cancel();
      else actions.end(voxel(now));
    } else if (isClick && !isCancelled && (mode === "click" || (mode === "pan" && ev.button === 0 && !keysDown.space))) {
      actions.click(voxel(now), ev.shiftKey);
    }
    if (mode !== "pinch" || pointers.size === 0) mode = null;
    e.classList.remove("moving");
  }

  e.addEventListener("pointerup", ev => release(ev, false));
  e.addEventListener("pointercancel", ev => release(ev, true));
  e.addEventListener("pointerleave", () => actions.hover(null));
  e.addEventListener("dblclick", () => actions.finish());
  e.addEventListener("contextmenu", ev => ev.preventDefault());
  e.addEventListener(
    "wheel",
    ev => {
      if (!pane.order) return;
      ev.preventDefault();
      const pixels = ev.deltaMode === 1 ? ev.deltaY * 40 : ev.deltaMode === 2 ? ev.deltaY * 400 : ev.deltaY;
      if (ev.ctrlKey || ev.metaKey) {
        pane.magnify(Math.exp(-Math.max(-120, Math.min(120, pixels)) * 0.004), ev.clientX, ev.clientY);
        return;
      }
      if (Math.sign(pixels) !== Math.sign(wheel)) wheel = 0;
      wheel += pixels;
      const turns = Math.trunc(wheel / wheelStep);
      if (turns !== 0) {
        wheel -= turns * wheelStep;
        actions.turn(turns);
      }
    },
    {passive: false}
  );
}
