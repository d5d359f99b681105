// The keyboard.
import {display, openList, set} from "./display";
import {isOpen} from "./dialog";
import {byId} from "./dom";
import * as head from "./head";
import {help} from "./help";
import * as list from "./list";
import {keysDown} from "./pointer";
import * as rail from "./rail";
import {unpin} from "./readout";
import * as second from "./second";
import {askSign} from "./sign";
import {app} from "./state";
import * as tools from "./tools";
import {tool} from "./tools";
import * as view from "./view";

let maskBefore: "outline" | "fill" = "outline";

// toggleMask hides the mask, or shows it as it was.
function toggleMask(): void {
  if (display.mask !== "hidden") {
    maskBefore = display.mask;
    set({mask: "hidden"});
  } else set({mask: maskBefore});
}

// map shows the map with a number, or none.
function map(n: number): void {
  const name = n === 0 ? "" : app.study?.maps?.[n - 1]?.name;
  if (name !== undefined) set({overlay: name === display.overlay ? "" : name});
}

const clamp = (x: number) => Math.round(Math.min(Math.max(x, 0), 1) * 100) / 100;

// Keys without Ctrl, by what they write.
const keys: Record<string, () => void> = {
  ArrowUp: () => view.goTo(app.k - 1),
  ArrowDown: () => view.goTo(app.k + 1),
  PageUp: () => view.goTo(app.k - 5),
  PageDown: () => view.goTo(app.k + 5),
  Home: () => view.goTo(0),
  End: () => view.goTo(1e9),
  ArrowLeft: () => view.goToEcho(app.echo - 1),
  ArrowRight: () => view.goToEcho(app.echo + 1),
  "-": () => set({opacity: clamp(display.opacity - 0.1)}),
  "+": () => set({opacity: clamp(display.opacity + 0.1)}),
  "=": () => set({opacity: clamp(display.opacity + 0.1)}),
  "[": () => tools.resize(-1),
  "]": () => tools.resize(1),
  v: () => tools.choose("look"),
  b: () => tools.choose("brush"),
  e: () => tools.choose("eraser"),
  p: () => tools.choose("polygon"),
  s: () => tools.choose("spline"),
  f: () => tools.choose("fill"),
  m: () => tools.choose("ruler"),
  t: rail.toggleLimits,
  n: () => rail.copy(1),
  N: () => rail.copy(-1),
  g: rail.between,
  l: () => rail.smoothen(false),
  L: () => rail.smoothen(true),
  u: () => rail.fillHoles(false),
  U: () => rail.fillHoles(true),
  Delete: () => rail.clear(false),
  h: toggleMask,
  o: () => set({mask: display.mask === "outline" ? "fill" : "outline"}),
  x: () => set({inMask: !display.inMask}),
  i: () => set({smooth: !display.smooth}),
  r: view.resetView,
  c: second.toggle,
  d: head.toggleTheme,
  w: head.toggleList,
  j: () => list.step(1),
  k: () => list.step(-1),
  "/": () => {
    openList(true);
    byId("filter").focus();
  },
  "?": help,
  Enter: () => {
    if (tools.isArea() && tool.path.length > 0) tools.close();
    else if (document.activeElement?.closest("#items")) list.openMarked();
  },
  Backspace: () => {
    if (tools.isArea() && tool.path.length > 0) tools.back();
  },
  Escape: () => {
    if (!tools.cancel() && tool.name !== "look") tools.choose("look");
    else if (tool.name === "look") unpin();
  }
};

// Keys that do their work again while they are held.
const repeated = new Set(["ArrowUp", "ArrowDown", "PageUp", "PageDown", "ArrowLeft", "ArrowRight", "-", "+", "=", "[", "]", "j", "k"]);

// Keys that move a slider that has the focus.
const sliding = new Set(["ArrowUp", "ArrowDown", "ArrowLeft", "ArrowRight", "PageUp", "PageDown", "Home", "End"]);

function down(e: KeyboardEvent): void {
  if (isOpen()) return;
  const target = e.target instanceof HTMLElement ? e.target : document.body;
  const isText = target.matches("input:not([type=range]):not([type=checkbox]), textarea, select");
  if (isText) {
    if (e.key === "Escape") target.blur();
    return;
  }
  if (target.matches("input[type=range]") && sliding.has(e.key)) return;
  if (e.key === " ") {
    if (target.matches("button, input[type=checkbox]")) return;
    keysDown.space = true;
    e.preventDefault();
    return;
  }
  const isThird = e.getModifierState("AltGraph"); // some keyboards write [ and ] with it
  if ((e.ctrlKey || e.metaKey) && !isThird) {
    const key = e.key.toLowerCase();
    if (key === "z" && e.shiftKey || key === "y") rail.redo();
    else if (key === "z") rail.undo();
    else if (key === "enter") askSign();
    else return;
    e.preventDefault();
    return;
  }
  if (e.altKey && !isThird) return;
  if (tools.isStroke() && e.key !== "Escape") { // the stroke ends with what it began with
    e.preventDefault();
    return;
  }
  const digit = isThird ? null : /^Digit([0-9])$/.exec(e.code);
  if (digit && e.shiftKey) {
    rail.selectLabel(Number(digit[1]) - 1);
    e.preventDefault();
    return;
  }
  if (digit) {
    map(Number(digit[1]));
    return;
  }
  if (e.key === "Enter" && target.matches("button") && !target.closest("#items")) return; // presses it
  // Letters by the shift key: caps lock must not make "in all slices" of "in this slice".
  const key = /^[a-z]$/i.test(e.key) ? (e.shiftKey ? e.key.toUpperCase() : e.key.toLowerCase()) : e.key;
  const run = keys[key];
  if (!run) return;
  e.preventDefault();
  if (e.repeat && !repeated.has(key)) return;
  run();
}

export function start(): void {
  addEventListener("keydown", down);
  // After a slider was dragged, or a line of a list was chosen, keys belong to the image again.
  addEventListener("pointerup", e => {
    if (e.target instanceof HTMLInputElement && e.target.type === "range") e.target.blur();
  });
  addEventListener("change", e => {
    if (e.target instanceof HTMLSelectElement && !e.target.closest("dialog")) e.target.blur();
  });
  addEventListener("keyup", e => {
    if (e.key === " ") keysDown.space = false;
  });
  addEventListener("blur", () => (keysDown.space = false));
}
