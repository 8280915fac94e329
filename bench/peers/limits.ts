/**
 * What no program here can beat, measured just before the programs are:
 *
 *     limits.js DIR
 *
 * prints lines of name, value and unit, with tabs between. DIR is a data set: it is walked and read,
 * and the disk that it is on is written to beside it.
 */
import { createCipheriv, createHash, randomBytes } from 'node:crypto'
import {
  closeSync,
  fsyncSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeSync,
} from 'node:fs'
import { connect, createServer } from 'node:net'
import path from 'node:path'
import { isMainThread, parentPort, Worker } from 'node:worker_threads'
import { bestRate } from '../figure.ts'
import { walkSorted } from './walk-sorted.ts'

const mebibyte = 1 << 20
const loopbackBytes = 1024 * mebibyte
const diskMebibytes = 512
const syncedFiles = 1000
const sample = randomBytes(mebibyte)

if (isMainThread) {
  const [directory = ''] = process.argv.slice(2)
  print('SHA-256', bestRate(mebibyte, hash), 'MB/s')
  print('AES-256-GCM', bestRate(mebibyte, encrypt), 'MB/s')
  const scratch = mkdtempSync(`${directory}.limits-`)
  try {
    print('write + fsync of 512 MiB', writeRate(scratch), 'MB/s')
    print('4 KiB file, written + fsync', fileRate(scratch), 'files/s')
  } finally {
    rmSync(scratch, { recursive: true })
  }
  print('loopback TCP', await loopbackRate(), 'MB/s')
  const { walkSeconds, readSeconds } = timeTree(directory)
  print('walk of the data', walkSeconds, 's')
  print('read of the data', readSeconds, 's')
  process.exit(0)
} else await sinkLoopback()

function print(name: string, value: number, unit: string): void {
  console.log(`${name}\t${value >= 100 ? value.toFixed(0) : value.toFixed(2)}\t${unit}`)
}

function hash(): void {
  createHash('sha256').update(sample).digest()
}

function encrypt(): void {
  const cipher = createCipheriv('aes-256-gcm', sample.subarray(0, 32), sample.subarray(0, 12))
  cipher.update(sample)
  cipher.final()
}

function secondsSince(startMs: number): number {
  return (performance.now() - startMs) / 1000
}

function writeRate(directory: string): number {
  const file = openSync(path.join(directory, 'one'), 'w')
  const start = performance.now()
  for (let i = 0; i < diskMebibytes; i++) writeSync(file, sample)
  fsyncSync(file)
  const seconds = secondsSince(start)
  closeSync(file)
  return (diskMebibytes * mebibyte) / 1e6 / seconds
}

function fileRate(directory: string): number {
  mkdirSync(path.join(directory, 'files'))
  const start = performance.now()
  for (let i = 0; i < syncedFiles; i++) {
    const file = openSync(path.join(directory, 'files', `${i}`), 'w')
    writeSync(file, sample, 0, 4096)
    fsyncSync(file)
    closeSync(file)
  }
  return syncedFiles / secondsSince(start)
}

/** One stream, from this thread to another. */
async function loopbackRate(): Promise<number> {
  const worker = new Worker(new URL(import.meta.url))
  const port = await nextMessage(worker)
  const socket = connect(port, '127.0.0.1')
  const start = performance.now()
  for (let sent = 0; sent < loopbackBytes; sent += mebibyte) {
    if (!socket.write(sample)) await new Promise((resolve) => socket.once('drain', resolve))
  }
  socket.end()
  await nextMessage(worker)
  const seconds = secondsSince(start)
  await worker.terminate()
  return loopbackBytes / 1e6 / seconds
}

function nextMessage(worker: Worker): Promise<number> {
  return new Promise((resolve) => worker.once('message', resolve))
}

/** The other thread: says its port, then that it has all. */
async function sinkLoopback(): Promise<void> {
  const server = createServer((socket) => {
    socket.resume().once('end', () => parentPort?.postMessage(0))
  })
  server.listen(0, '127.0.0.1', () => {
    const address = server.address()
    parentPort?.postMessage(typeof address === 'object' ? address?.port : 0)
  })
}

/** Of the second time, when caches are warm. */
function timeTree(directory: string): { walkSeconds: number; readSeconds: number } {
  for (const [,] of walkSorted(directory));
  const start = performance.now()
  const files: string[] = []
  for (const [name, stats] of walkSorted(directory)) {
    if (stats.isFile()) files.push(path.join(directory, name))
  }
  const walkSeconds = secondsSince(start)
  const readStart = performance.now()
  for (const name of files) readFileSync(name)
  return { walkSeconds, readSeconds: secondsSince(readStart) }
}
