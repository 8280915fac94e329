/** What the kernels need of WebAssembly's JavaScript interface, which Node's types leave out. */

/** A compiled module; immutable, and shared by all its instances of one thread. */
export type WasmModule = object

export interface WasmMemory {
  /** Replaced by a new one when the memory grows. */
  readonly buffer: ArrayBuffer
}

declare const WebAssembly: {
  validate(bytes: Uint8Array): boolean
  Module: new (bytes: Uint8Array) => WasmModule
  Instance: new (module: WasmModule) => { readonly exports: unknown }
}

/** False if this engine lacks a feature that `bytes` use, such as SIMD. */
export function canRun(bytes: Uint8Array): boolean {
  return WebAssembly.validate(bytes)
}

export function compile(bytes: Uint8Array): WasmModule {
  return new WebAssembly.Module(bytes)
}

/** A new instance of a module without imports. `Exports` is the caller's word for what it exports. */
// eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters -- names the shape
export function instantiate<Exports>(module: WasmModule): Exports {
  return new WebAssembly.Instance(module).exports as Exports
}
