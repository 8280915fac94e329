/**
 * Compiles the WebAssembly kernels from AssemblyScript to modules that hold their bytes, so that
 * neither a build nor an installation needs a compiler. A test compares what is committed with a
 * fresh build.
 */
import { readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import asc from 'assemblyscript/asc'

const folder = fileURLToPath(new URL('../src/encoding/', import.meta.url))

/** A kernel's source is assembly/<name>.ts. Its memory has this many pages of 64 KiB, for good. */
const kernels = [
  { name: 'reed-solomon', pages: 16 },
  { name: 'gear', pages: 24 },
]

/** Compiles every kernel: maps the name of each module, in src/encoding, to its text. */
export async function buildKernels() {
  const modules = new Map()
  for (const kernel of kernels) {
    modules.set(`${kernel.name}.wasm.ts`, moduleText(kernel.name, await compile(kernel)))
  }
  return modules
}

async function compile({ name, pages }) {
  const source = await readFile(path.join(folder, 'assembly', `${name}.ts`), 'utf8')
  const input = `${name}.ts`
  const built = new Map()
  const options = ['--outFile', 'kernel.wasm', '-O3', '--noAssert', '--runtime', 'stub']
  const memory = ['--initialMemory', String(pages), '--maximumMemory', String(pages)]
  const { error, stderr } = await asc.main([input, ...options, ...memory, '--enable', 'simd'], {
    readFile: (file) => (file === input ? source : null),
    writeFile: (file, contents) => void built.set(file, contents),
    listFiles: () => [],
  })
  if (error !== null) throw new Error(`${name}: ${stderr.toString()}`, { cause: error })
  return built.get('kernel.wasm')
}

function moduleText(name, bytes) {
  const constant = name.replace(/-(.)/g, (_, letter) => letter.toUpperCase())
  const base64 = Buffer.from(bytes).toString('base64')
  return `// Made from assembly/${name}.ts by scripts/kernel.js: ${bytes.length} bytes.
export const ${constant}Wasm: Uint8Array = Uint8Array.from(
  Buffer.from('${base64}', 'base64'),
)
`
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const [file, text] of await buildKernels()) await writeFile(path.join(folder, file), text)
}
