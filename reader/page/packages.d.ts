// What the page uses of the packages that gen bundles with it.

declare module "@niivue/niivue" {
  export class NVImage {
    static new(
      data: ArrayBuffer,
      name: string,
      colormap: string,
      opacity: number,
      paired: null,
      low: number,
      high: number
    ): Promise<NVImage>;
    permRAS: number[];
    dimsRAS: number[];
  }
  export class Niivue {
    constructor(options: Record<string, unknown>);
    attachToCanvas(canvas: HTMLCanvasElement, antiAlias: boolean): Promise<Niivue>;
    volumes: NVImage[];
    addVolume(v: NVImage): void;
    removeVolume(v: NVImage): void;
    setInterpolation(nearest: boolean): void;
    setCustomSliceShader(fragment: string): void;
    volumeTexture: WebGLTexture | null;
    overlayTexture: WebGLTexture | null;
    drawScene(): void;
    resizeListener(): void;
    frac2canvasPos(fraction: ArrayLike<number>): number[] | null;
    scene: {pan2Dxyzmm: ArrayLike<number>};
    opts: {isNearestInterpolation: boolean};
    gl: WebGL2RenderingContext;
  }
}

declare module "uplot" {
  interface Options {
    width: number;
    height: number;
    [key: string]: unknown;
  }
  export default class uPlot {
    constructor(options: Options, data: unknown[], target: HTMLElement);
    setData(data: unknown[]): void;
    setSize(size: {width: number; height: number}): void;
    destroy(): void;
    root: HTMLElement;
    ctx: CanvasRenderingContext2D;
    bbox: {left: number; top: number; width: number; height: number};
    data: (number | null)[][];
    valToPos(value: number, scale: string, canvas: boolean): number;
  }
}
