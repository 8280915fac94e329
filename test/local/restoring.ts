/** A target beside a canary, and entries that an attacker may have made up. */
import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { utf8 } from '../../src/base/bytes.ts'
import { SystemRandom } from '../../src/base/random.ts'
import type { EntryFacts } from '../../src/local/facts.ts'
import { openTarget } from '../../src/local/local-target.ts'
import type { TargetDirectory } from '../../src/local/target-directory.ts'
import type { TargetOptions } from '../../src/local/target-run.ts'
import { timestampOf } from '../../src/tree/entry.ts'
import { hashTree, native, Notices, Scratch } from './scratch.ts'

const when = timestampOf(1_700_000_000_123_456_789n)

function bytesOf(name: string | Uint8Array): Uint8Array {
  return typeof name === 'string' ? utf8(name) : name
}

export function fileFacts(
  name: string | Uint8Array,
  content: string,
  more: Partial<EntryFacts> = {},
): EntryFacts {
  const facts = { name: bytesOf(name), kind: 'file' as const, mode: 0o644, mtime: when, meta: {} }
  return { ...facts, sizeBytes: Buffer.byteLength(content), ...more }
}

export function folderFacts(name: string | Uint8Array, more: Partial<EntryFacts> = {}): EntryFacts {
  return { ...fileFacts(name, ''), kind: 'directory', mode: 0o755, ...more }
}

export function linkFacts(name: string, target: string): EntryFacts {
  return { ...fileFacts(name, ''), kind: 'symlink', mode: 0o777, target: utf8(target) }
}

export function contentOf(...texts: string[]): () => AsyncIterable<Uint8Array> {
  return async function* () {
    for (const text of texts) yield utf8(text)
  }
}

/** A restore into `target`, beside a canary that must stay as it is. */
export class Restoring extends Scratch {
  notices: Notices = new Notices()
  #hash = ''

  protected override begin(): void {
    this.notices = new Notices()
    this.file('canary/secret', 'do not touch')
    this.file('canary/folder/file', 'nor this')
    fs.symlinkSync('secret', this.at('canary', 'link'))
    this.rememberCanary()
  }

  protected override end(): void {
    this.checkCanary()
  }

  open(options: Partial<TargetOptions> = {}): TargetDirectory {
    const { report } = this.notices
    return openTarget(this.at('target'), { report, random: new SystemRandom(), native, ...options })
  }

  /** Names below the target, through no link. */
  names(folder = ''): string[] {
    const found = fs.readdirSync(this.at('target', folder), { withFileTypes: true })
    return found
      .flatMap((entry) => {
        const name = path.join(folder, entry.name)
        return entry.isDirectory() ? [name, ...this.names(name)] : [name]
      })
      .sort()
  }

  read(name: string): string {
    return fs.readFileSync(this.at('target', name), 'utf8')
  }

  /** After a change of the test's own. */
  rememberCanary(): void {
    this.#hash = hashTree(this.at('canary'))
  }

  checkCanary(): void {
    assert.equal(hashTree(this.at('canary')), this.#hash, 'something outside the target changed')
  }
}
