/** Channels over Unix-domain sockets: between a running node and the command line of its home. */
import { chmod, rm } from 'node:fs/promises'
import { connect, createServer, type Server, type Socket } from 'node:net'
import type { Channel } from '../../base/channel.ts'
import { GridError } from '../../base/errors.ts'
import type { ChannelHandler } from '../../base/net.ts'

export interface UnixListener {
  /** Ends every connection and removes the socket. */
  close(): Promise<void>
}

/** Paths of sockets are at most 107 bytes on Linux and 103 on macOS; longer ones are cut silently. */
const maxPathBytes = 103

/**
 * Listens at `path`, for this user alone (0600); a socket left by an earlier process is replaced.
 * The caller holds the home's lock, so that nobody else listens there.
 *
 * @throws E_CONFIG when the path is too long for a socket
 */
export async function listenUnix(path: string, handler: ChannelHandler): Promise<UnixListener> {
  if (new TextEncoder().encode(path).length > maxPathBytes) {
    throw new GridError('E_CONFIG', `${path}: too long for a socket`, {
      hint: 'choose a shorter --home',
    })
  }
  await rm(path, { force: true })
  const open = new Set<Socket>()
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    open.add(socket)
    socket.once('close', () => open.delete(socket))
    const channel = new SocketChannel(socket)
    handler(channel).catch((error: unknown) => channel.abort(error as Error))
  })
  await listening(server, path)
  await chmod(path, 0o600)
  return {
    async close() {
      for (const socket of open) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
      await rm(path, { force: true })
    },
  }
}

/** Connects to a socket. @throws E_UNREACHABLE when nobody listens there */
export function connectUnix(path: string): Promise<Channel> {
  return new Promise((resolve, reject) => {
    const socket = connect({ path, allowHalfOpen: true })
    socket.once('connect', () => resolve(new SocketChannel(socket)))
    socket.once('error', (cause) =>
      reject(new GridError('E_UNREACHABLE', `no node listens at ${path}`, { cause })),
    )
  })
}

function listening(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause) =>
      reject(new GridError('E_IO', `cannot listen at ${path}`, { cause })),
    )
    server.listen(path, resolve)
  })
}

class SocketChannel implements Channel {
  readonly remoteId = undefined
  readonly remoteAddress = 'unix'
  readonly #socket: Socket
  #failure: GridError | undefined

  constructor(socket: Socket) {
    this.#socket = socket
    socket.on(
      'error',
      (cause) => (this.#failure ??= new GridError('E_CLOSED', 'the connection broke', { cause })),
    )
  }

  async send(pieces: readonly Uint8Array[]): Promise<void> {
    this.#check()
    this.#socket.cork()
    let room = true
    for (const piece of pieces) room = this.#socket.write(piece)
    this.#socket.uncork()
    if (!room) await this.#drained()
    this.#check()
  }

  get source(): AsyncIterable<Uint8Array> {
    return this.#read()
  }

  async close(): Promise<void> {
    this.#socket.end()
  }

  abort(reason: Error): void {
    this.#failure ??= new GridError('E_CLOSED', `the connection was ended: ${reason.message}`)
    this.#socket.destroy()
  }

  async *#read(): AsyncGenerator<Uint8Array> {
    try {
      // The other direction goes on when this one has ended.
      for await (const piece of this.#socket.iterator({ destroyOnReturn: false })) {
        yield piece as Uint8Array
      }
    } catch (cause) {
      throw this.#failure ?? new GridError('E_CLOSED', 'the connection broke', { cause })
    }
    if (this.#failure !== undefined) throw this.#failure
  }

  #check(): void {
    if (this.#failure !== undefined) throw this.#failure
    if (this.#socket.destroyed || this.#socket.writableEnded) {
      throw new GridError('E_CLOSED', 'the connection is closed')
    }
  }

  #drained(): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        this.#socket.off('drain', done)
        this.#socket.off('close', done)
        resolve()
      }
      this.#socket.once('drain', done)
      this.#socket.once('close', done)
    })
  }
}
