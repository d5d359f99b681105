// One slice in NiiVue. NiiVue has a volume of one slice, and an overlay. Another slice, echo, map or window replaces the
// texels of both, which takes a few milliseconds and little memory at any size of the series: NiiVue's own way, which
// turns volumes in the graphics unit and computes gradients, takes a quarter of a second where there is no such unit.
import {Niivue, NVImage} from "@niivue/niivue";
import type {Vec2} from "./api";
import {Order} from "./order";

// What NiiVue does for each pixel, less what is not needed here.
const shader = `#version 300 es
precision highp int;
precision highp float;
uniform highp sampler3D volume, overlay;
in vec3 texPos;
out vec4 color;
void main() {
  vec4 over = texture(overlay, texPos);
  color = vec4(mix(texture(volume, texPos).rgb, over.rgb, over.a), 1.0);
}`;

export class Plate {
  private nv: Niivue;
  private order: Order | null = null;
  // The slice and its colours in the order of the series, and what NiiVue gets.
  private grey = new Uint32Array(0);
  private images = [new Uint32Array(0), new Uint32Array(0)];
  private isStale = [false, false];
  private drawn = ""; // the view that was drawn last

  constructor(readonly canvas: HTMLCanvasElement) {
    this.nv = new Niivue({
      interactive: false,
      isResizeCanvas: false,
      dragAndDropEnabled: false,
      isOrientationTextVisible: false,
      isNearestInterpolation: true,
      crosshairWidth: 0,
      sliceType: 0, // axial
      backColor: [0.035, 0.043, 0.055, 1],
      loadingText: "",
      logLevel: "silent"
    });
  }

  async attach(): Promise<void> {
    await this.nv.attachToCanvas(this.canvas, false);
    this.nv.setCustomSliceShader(shader);
    await this.warm();
  }

  // warm draws a picture of nothing: the first one takes a quarter of a second where there is no graphics unit, and nobody
  // waits for it before a study is chosen.
  private async warm(): Promise<void> {
    const row = [0, 0, 0, 0];
    await this.open(new Order({
      size: [2, 2, 1], spacing_mm: [1, 1, 1], affine: [row, row, row], letters: ["A", "P", "S", "I"],
      show: {transpose: false, flip_x: false, flip_y: false}, plane: ""
    }));
    this.draw(1, [0, 0]);
    this.finish();
    this.order = null;
  }

  // open prepares for slices of a series.
  async open(order: Order): Promise<void> {
    for (const v of [...this.nv.volumes].reverse()) this.nv.removeVolume(v);
    this.order = null;
    const image = await NVImage.new(nifti(order), "image.nii", "gray", 1, null, 0, 1);
    this.nv.addVolume(image);
    this.nv.addVolume(await NVImage.new(nifti(order), "overlay.nii", "gray", 1, null, 0, 1));
    const problem = order.check(image.permRAS, image.dimsRAS);
    if (problem) throw new Error("The slice would be shown in a wrong order: " + problem);
    this.grey = new Uint32Array(order.inSlice);
    this.images = [0, 1].map(() => new Uint32Array(order.inSlice));
    this.isStale = [true, true];
    this.order = order;
  }

  // show sets the magnitudes of the slice, with the range from black to white.
  show(slice: Float32Array, [low, high]: Vec2): void {
    if (!this.order || slice.length !== this.grey.length) return;
    const scale = 256 / (high - low || 1),
      grey = this.grey;
    for (let n = 0; n < grey.length; n++) {
      const x = (slice[n] - low) * scale;
      const g = x >= 255 ? 255 : x > 0 ? x | 0 : 0; // 0 for NaN
      grey[n] = 0xff000000 | (g * 0x010101);
    }
    this.order.toBitmap(grey, this.images[0]);
    this.isStale[0] = true;
  }

  // cover sets the colours over the slice: red, green, blue and opacity of each voxel; null removes them.
  cover(colours: Uint32Array | null): void {
    if (!this.order) return;
    if (colours) this.order.toBitmap(colours, this.images[1]);
    else this.images[1].fill(0);
    this.isStale[1] = true;
  }

  set smooth(smooth: boolean) {
    if (!this.order || this.nv.opts.isNearestInterpolation === !smooth) return;
    this.nv.setInterpolation(!smooth);
    this.isStale = [true, true]; // NiiVue has made its textures again
  }

  // draw draws with so many pixels of the canvas per mm, and with the place (x, y) in mm in its middle.
  draw(scale: number, [x, y]: Vec2): void {
    if (!this.order || this.canvas.width < 2 || this.canvas.height < 2) return;
    // NiiVue fits the slice to the canvas, magnifies around the origin, which is the middle of the slice, and moves it.
    const base = Math.min(
      this.canvas.width / (this.order.columns * this.order.dx),
      this.canvas.height / (this.order.rows * this.order.dy)
    );
    const view = [(-x * scale) / base, (y * scale) / base, 0, scale / base];
    const key = [...view, this.canvas.width, this.canvas.height].join();
    if (key === this.drawn && !this.isStale[0] && !this.isStale[1]) return; // the last frame is still shown
    this.drawn = key;
    this.nv.scene.pan2Dxyzmm = view;
    this.upload(0, this.nv.volumeTexture);
    this.upload(1, this.nv.overlayTexture);
    this.nv.drawScene();
  }

  private upload(n: 0 | 1, texture: WebGLTexture | null): void {
    if (!this.isStale[n] || !texture || !this.order) return;
    const gl = this.nv.gl;
    gl.activeTexture(n === 0 ? gl.TEXTURE0 : gl.TEXTURE2); // the units that NiiVue has for both
    gl.bindTexture(gl.TEXTURE_3D, texture);
    const {columns, rows} = this.order;
    gl.texSubImage3D(gl.TEXTURE_3D, 0, 0, 0, 0, columns, rows, 1, gl.RGBA, gl.UNSIGNED_BYTE, new Uint8Array(this.images[n].buffer));
    this.isStale[n] = false;
  }

  // place returns where NiiVue has drawn the voxel (i, j), in pixels of the canvas.
  place(voxel: Vec2): Vec2 | null {
    const p = this.order && this.nv.frac2canvasPos(this.order.fraction(voxel));
    return p ? [p[0], p[1]] : null;
  }

  // finish waits until the graphics unit is done.
  finish(): void {
    this.nv.gl?.finish();
  }
}

// nifti returns a NIfTI-1 file of one slice as shown, of zeros.
function nifti(order: Order): ArrayBuffer {
  const first = 352;
  const file = new ArrayBuffer(first + order.inSlice);
  const view = new DataView(file);
  view.setInt32(0, 348, true);
  [3, order.columns, order.rows, 1, 1, 1, 1, 1].forEach((n, at) => view.setInt16(40 + 2 * at, n, true));
  view.setInt16(70, 2, true); // bytes
  view.setInt16(72, 8, true);
  [1, order.dx, order.dy, 1, 1, 1, 1, 1].forEach((mm, at) => view.setFloat32(76 + 4 * at, mm, true));
  view.setFloat32(108, first, true);
  view.setFloat32(112, 1, true);
  view.setUint8(123, 2); // mm
  view.setInt16(254, 1, true); // the rows of the affine hold
  order.world().forEach((row, n) => row.forEach((x, m) => view.setFloat32(280 + 16 * n + 4 * m, x, true)));
  [0x6e, 0x2b, 0x31, 0].forEach((c, n) => view.setUint8(344 + n, c)); // n+1
  return file;
}
