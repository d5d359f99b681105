// The bar above the image: echo, map, opacity, mask, interpolation, second series.
import {display, set} from "./display";
import {button, byId, el, fixed, put} from "./dom";
import {app, on} from "./state";
import {choose as chooseOther, chosen as chosenOther} from "./second";
import {goToEcho, pane, resetView} from "./view";
import {stateColours} from "./colour";
import * as voxels from "./voxels";
import {mapShown} from "./view";

const echo = el("input", {type: "range", min: 0, max: 0, step: 1, id: "echo", "aria-label": "Echo", title: "Echo (← →)",
  oninput: () => goToEcho(Number(echo.value))});
const echoText = el("output", {for: "echo"});
const maps = el("div", {class: "segments", role: "radiogroup", "aria-label": "Map over the image"});
const opacity = el("input", {type: "range", min: 0, max: 100, step: 5, "aria-label": "Opacity of the map",
  title: "Opacity (− +)", oninput: () => set({opacity: Number(opacity.value) / 100})});
const inMask = toggle("In mask", "Show the map in the mask only (X)", () => set({inMask: !display.inMask}));
const smooth = toggle("Smooth", "Interpolate between voxels (I)", () => set({smooth: !display.smooth}));
const masks = el("div", {class: "segments", role: "radiogroup", "aria-label": "Mask"});
const others = el("select", {id: "others", hidden: true, "aria-label": "Second series", title: "Show another series or visit beside it (C)",
  onchange: () => chooseOther(others.value)});

function toggle(text: string, title: string, run: () => void): HTMLButtonElement {
  return el("button", {type: "button", class: "chip", title, onclick: run}, text);
}

function segment(text: string, title: string, isOn: boolean, run: () => void): HTMLElement {
  return el("button", {type: "button", role: "radio", "aria-checked": isOn ? "true" : "false", title, onclick: run}, text);
}

// Names of maps on buttons.
const short: Record<string, string> = {t2: "T2", s0: "S0", r2: "R²", se: "SE", residual: "Residual", status: "Status"};

function showMaps(): void {
  const list = app.study?.maps ?? [];
  put(
    maps,
    segment("Off", "No map (0)", mapShown() === null, () => set({overlay: ""})),
    ...list.map((m, n) => segment(short[m.name] ?? m.title, `${m.title}${m.unit ? ` in ${m.unit}` : ""} (${n + 1})`, m.name === display.overlay,
      () => set({overlay: m.name})))
  );
  put(
    masks,
    ...(["outline", "fill", "hidden"] as const).map((m, n) =>
      segment(["Outline", "Fill", "Hide"][n], ["Outline the mask (O)", "Fill the mask (O)", "Hide the mask (H)"][n],
        display.mask === m, () => set({mask: m}))
    )
  );
  opacity.value = String(Math.round(display.opacity * 100));
  opacity.disabled = mapShown() === null;
  inMask.setAttribute("aria-pressed", String(display.inMask));
  smooth.setAttribute("aria-pressed", String(display.smooth));
}

function showEcho(): void {
  const {study} = app;
  echo.max = String((study?.te_ms.length ?? 1) - 1);
  echo.value = String(app.echo);
  echo.disabled = !study;
  echoText.textContent = study ? `${fixed(study.te_ms[app.echo], 1)} ms` : "";
}

function showOthers(): void {
  const list = app.study?.others ?? [];
  put(others, el("option", {value: ""}, "One view"),
    ...list.map(o => el("option", {value: o.id}, `Beside: ${o.name}`)));
  others.value = chosenOther();
  others.hidden = list.length === 0;
}

// showScale draws the colours of the map with their values, in the image.
function showScale(): void {
  const e = byId("scale"),
    map = mapShown(),
    ramp = app.session?.ramp;
  e.hidden = !map || !ramp || !app.study;
  if (!map || !ramp || !app.study) return;
  const problem = voxels.problem("map-" + map.name);
  const title = el("div", {class: "title"}, map.title, map.unit && ` (${map.unit})`);
  if (map.name === "status") {
    const keys = app.session!.states.map((name, n) => ({name, colour: stateColours[n]})).filter(k => k.colour);
    put(e, title, ...keys.map(k => {
      const dot = el("i", {class: "swatch"});
      dot.style.backgroundColor = `rgb(${k.colour!.join(" ")})`;
      return el("div", {class: "key"}, el("span", {}, k.name.replaceAll("_", " ")), dot);
    }));
    return;
  }
  const canvas = el("canvas", {width: 1, height: ramp.length, "aria-hidden": "true"});
  const c = canvas.getContext("2d")!;
  ramp.forEach((colour, n) => {
    c.fillStyle = `rgb(${colour.join(" ")})`;
    c.fillRect(0, ramp.length - 1 - n, 1, 1);
  });
  const [low, high] = map.range;
  const digits = high - low >= 20 ? 0 : high - low >= 2 ? 1 : 2;
  const ticks = [1, 0.75, 0.5, 0.25, 0].map(f => el("span", {}, fixed(low + f * (high - low), digits)));
  put(e, title, el("div", {class: "body"}, el("div", {class: "ticks"}, ...ticks), canvas), problem && el("div", {class: "title"}, problem));
}

export function start(): void {
  const group = (name: string, ...children: HTMLElement[]) =>
    el("div", {class: "group"}, name && el("span", {class: "name"}, name), ...children);
  put(
    byId("bar"),
    group("Echo", echo, echoText),
    group("", maps, opacity, inMask),
    el("div", {class: "group"}, smooth),
    el("span", {class: "grow"}),
    button("fit", "Whole slice, first window", "R", resetView)
  );
  byId("mask-look").append(masks);
  byId("head-left").append(others);
  pane.root.append(el("div", {id: "scale", hidden: true}));
  on(["session", "study", "display"], showMaps);
  on(["study", "image"], showEcho);
  on(["study", "display"], showOthers);
  on(["session", "study", "display", "voxels"], showScale);
}
