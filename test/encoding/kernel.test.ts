import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { describe, it } from 'mocha'
import { gearWasm } from '../../src/encoding/gear.wasm.ts'
import { reedSolomonWasm } from '../../src/encoding/reed-solomon.wasm.ts'
import { canRun, compile, instantiate, type WasmMemory } from '../../src/encoding/webassembly.ts'

const project = path.resolve(import.meta.dirname, '../../..')

interface Script {
  buildKernels(): Promise<Map<string, string>>
}

describe('kernel', () => {
  it('is committed as its source compiles', async () => {
    const script = pathToFileURL(path.join(project, 'scripts/kernel.js')).href
    const kernel = (await import(script)) as Script
    const built = await kernel.buildKernels()
    assert.ok(built.size > 0)
    for (const [name, text] of built) {
      const committed = readFileSync(path.join(project, 'src/encoding', name), 'utf8')
      assert.equal(text, committed, `${name}: run npm run kernel`)
    }
  }).timeout(60_000)

  it('starts with memory that is all zero and never grows', () => {
    for (const wasm of [reedSolomonWasm, gearWasm]) {
      const { memory } = instantiate<{ memory: WasmMemory & { grow(pages: number): number } }>(
        compile(wasm),
      )
      const bytes = new Uint8Array(memory.buffer)
      assert.ok(bytes.length <= 4 * 2 ** 20)
      assert.ok(bytes.every((byte) => byte === 0))
      assert.throws(() => memory.grow(1), RangeError)
    }
  })
  it('knows what this engine can run', () => {
    assert.ok(canRun(reedSolomonWasm))
    assert.ok(!canRun(reedSolomonWasm.slice(0, -1)))
  })
})
