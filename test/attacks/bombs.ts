/** Heads of frames that want more of a decoder than they cost to send, or another value than they seem. */
import { concat, fromHex, utf8 } from '../../src/base/bytes.ts'

/** The longest head that a frame has room for. */
const most = 65_535

/** By what is wrong with them; each at most as long as a head may be. */
export const bombs: Record<string, Uint8Array> = {
  'arrays as deep as a head is long': new Uint8Array(most).fill(0x81),
  'indefinite arrays as deep as a head is long': new Uint8Array(most).fill(0x9f),
  'maps as deep as a head is long': new Uint8Array(most).fill(0xa1),
  'tags as deep as a head is long': new Uint8Array(most).fill(0xc1),
  'an array of 2^32-1 items': fromHex('9affffffff'),
  'an array of 2^64-1 items': fromHex('9bffffffffffffffff'),
  'a byte string of 2^32-1 bytes': fromHex('5affffffff'),
  'a byte string of 2^53 bytes': fromHex('5b0020000000000000'),
  'a text of 2^32-1 bytes': fromHex('7affffffff'),
  'as many items as a head has bytes': concat(fromHex('99fff0'), new Uint8Array(0xfff0)),
  'a map of as many tiny keys': concat(fromHex('b97ff0'), new Uint8Array(2 * 0x7ff0)),
  'a map of 2^32-1 keys': fromHex('baffffffff'),
  'a map with a key twice': fromHex('a201020103'),
  'a map with __proto__': concat(fromHex('a169'), utf8('__proto__'), fromHex('a1'), poison()),
  'a map with constructor': concat(fromHex('a16b'), utf8('constructor'), fromHex('a1'), poison()),
  'an indefinite array': fromHex('9f01ff'),
  'an indefinite byte string': fromHex('5f4101ff'),
  'an integer longer than needed': fromHex('85021801000000'),
  'an integer beyond 2^53': fromHex('85021b0020000000000000000000'),
  'a float that is NaN': fromHex('8502fb7ff8000000000000000000'),
  'a float that is 1.5': fromHex('8502f93e00000000'),
  'null and undefined': fromHex('8502f6f70000'),
  'a date': fromHex('c11a514b67b0'),
  'a big integer': fromHex('c249010000000000000000'),
  'a text that is not UTF-8': fromHex('850261ff000000'),
  'a value and another': fromHex('0000'),
  'nothing but the start of an array': fromHex('85'),
}

/** `polluted: 1`. */
function poison(): Uint8Array {
  return concat(fromHex('68'), utf8('polluted'), fromHex('01'))
}
