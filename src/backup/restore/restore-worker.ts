/** Entry point of a worker thread that makes files: one job at a time, relative to directories that others hold open. */
import '../../base/shim.ts'
import { parentPort, workerData } from 'node:worker_threads'
import { GridError } from '../../base/errors.ts'
import { SystemRandom } from '../../base/random.ts'
import { loadNative } from '../../local/native.ts'
import { systemOwners } from '../../local/owner-names.ts'
import type { RestoreReply, RestoreRequest, RestoreWorkerData } from './batch-messages.ts'
import { type BatchOptions, runBatchJob, runExtentJob } from './batch-run.ts'

const port = parentPort
if (port === null) throw new Error('this file runs as a worker thread only')

const { options, hasNative } = workerData as RestoreWorkerData
const batchOptions: BatchOptions = {
  ...options,
  random: new SystemRandom(),
  native: hasNative ? await loadNative() : undefined,
  owners: systemOwners(),
}

port.on('message', (request: RestoreRequest) => {
  port.postMessage(replyTo(request))
})

function replyTo(request: RestoreRequest): RestoreReply {
  try {
    if ('batch' in request) return { kind: 'done', ...runBatchJob(request, batchOptions) }
    runExtentJob(request)
    return { kind: 'handled' }
  } catch (error) {
    const { code, syscall, message } = error as NodeJS.ErrnoException
    if (error instanceof GridError) return { kind: 'failed', code: error.code, message }
    return { kind: 'broke', message, ...(code && { code }), ...(syscall && { syscall }) }
  }
}
