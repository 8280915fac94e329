/** Rules of file systems that take fewer names than Linux does, or two names for one. */

/** Names of devices on Windows, with any ending. */
const reserved = /^(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$)(\.|$)/i
// eslint-disable-next-line no-control-regex -- these are what it is for
const unfit = /[<>:"|?*\\\u0000-\u001f]|[. ]$/

/** What a file system that ignores case and composition takes for one name is one text. */
export function foldedName(name: Uint8Array): string {
  return Buffer.from(name).toString('utf8').normalize('NFC').toLowerCase().normalize('NFC')
}

/** Whether Windows would make something else of the name, or nothing. */
export function isWindowsName(name: Uint8Array): boolean {
  const text = Buffer.from(name).toString('utf8')
  return !text.includes('\ufffd') && !reserved.test(text) && !unfit.test(text)
}
