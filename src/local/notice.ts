/**
 * What a walk or a restore did not do as it should: one notice each, and the rest goes on. A
 * command that was given any ends with exit code 3.
 */

export type NoticeCode =
  // reading
  | 'socket' // sockets are made by whoever listens, and are not kept
  | 'unreadable' // the system refused it
  | 'vanished' // it went away between being listed and being read
  | 'changed' // it changed while it was read, and once more when it was read again
  | 'xattrs-unseen' // extended attributes cannot be read here: no adapter; once a walk
  | 'xattrs-too-large' // more bytes of extended attributes than an entry can hold
  // refused by the target: nothing was written
  | 'name' // no name, or one that would lead elsewhere
  | 'order' // a name twice, or names that do not ascend
  | 'collision' // another entry has this name here already, in other letters
  | 'too-deep' // more directories inside each other than `maxDepth`; also when reading
  | 'exists' // something else has the name and may not be overwritten
  | 'link-in-the-way' // a symbolic link stands where a directory belongs
  | 'startup' // would be run or trusted by the shell of the one who restores
  | 'special' // a device or fifo, and the caller did not say that it may be made
  | 'no-space' // larger than all free space
  | 'size' // the content is longer or shorter than the entry says
  | 'content' // the content could not be had
  | 'moved' // its directory was moved away meanwhile
  | 'failed' // the system refused it
  // written, but not all of it kept
  | 'owner-not-kept'
  | 'mode-not-kept' // set-id or sticky bits among others
  | 'xattr-not-kept'
  | 'time-not-kept' // not to the nanosecond
  | 'hard-link-not-kept' // a file of its own instead
  // found when what was restored is compared
  | 'missing' // nothing has the name
  | 'differs' // its content, or what is kept of it

export interface Notice {
  code: NoticeCode
  /** From the root of the tree, without a slash in front; empty for the root. */
  path: Uint8Array
  /** What exactly: the system's code, the name of an attribute. Fit for a terminal. */
  detail?: string
  /** What was thrown, if anything was. */
  cause?: unknown
}

/** Takes a notice; must not throw. */
export type Report = (notice: Notice) => void

/** The system's own code for what was thrown, such as EACCES, or what it says. */
export function detailOf(error: unknown): string {
  const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined
  return code ?? String(error)
}
