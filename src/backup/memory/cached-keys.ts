/** What of a stream is remembered beside where it is stored. */

/** Whether read keys are remembered. With `none` every run derives them anew from all content. */
export type CachedKeys = 'kept' | 'none'

export const tagBytes = 16
export const checkBytes = 8
