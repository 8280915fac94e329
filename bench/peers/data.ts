/**
 * The data sets of the comparison, from the command line:
 *
 *     data.js make NAME DIR      fills the new directory DIR
 *     data.js mutate NAME DIR    changes it; the originals go to DIR.stash
 *     data.js unmutate DIR       takes that back
 *     data.js digest DIR         one line: files, bytes, digest of contents, digest of attributes
 *     data.js count DIR          one line: files, bytes
 */
import { mkdirSync } from 'node:fs'
import { countTree, digestTree } from './digest-tree.ts'
import { makers } from './make-data.ts'
import { mutate, unmutate } from './mutate-data.ts'

const [verb, first = '', second = ''] = process.argv.slice(2)
switch (verb) {
  case 'make':
    if (!(first in makers))
      throw new Error(`no data set ${first}: ${Object.keys(makers).join(' ')}`)
    mkdirSync(second, { recursive: true })
    makers[first](second)
    break
  case 'mutate':
    mutate(first, second)
    break
  case 'unmutate':
    unmutate(first)
    break
  case 'digest':
    console.log(Object.values(digestTree(first)).join(' '))
    break
  case 'count':
    console.log(Object.values(countTree(first)).join(' '))
    break
  default:
    throw new Error('make, mutate, unmutate, digest or count')
}
