/** A recovery kit as it is printed: on a terminal, as a picture, as a page. */
import encodeQR from 'qr'
import { formatKit, type KitFacts, kitLines } from '../backup/keys/recovery-kit.ts'

/** Modules of white that a reader needs around a code. */
const borderModules = 4

/** Both lines of the kit as a QR code of half blocks, light on dark as terminals are. */
export function kitForTerminal(facts: KitFacts): string {
  return encodeQR(contentOf(facts), 'ascii', { ecc: 'medium', border: 2 }).trimEnd()
}

/** The same as a picture of its own, on white whatever is behind it. */
export function kitSvg(facts: KitFacts): string {
  const svg = encodeQR(contentOf(facts), 'svg', { ecc: 'medium', border: borderModules })
  return svg.replace(/^<svg [^>]*>/, '$&<path fill="#fff" d="M0 0h999v999H0z"/>')
}

/** A page to print: the words and the picture, and nothing from elsewhere. */
export function kitPage(facts: KitFacts): string {
  return [
    '<!doctype html>',
    '<html lang="en"><meta charset="utf-8"><title>Grid recovery kit</title>',
    '<style>body{font:11pt/1.4 monospace;margin:2cm;color:#000;background:#fff}',
    'pre{white-space:pre-wrap}svg{width:9cm;height:9cm}</style>',
    `<pre>${escaped(formatKit(facts))}</pre>`,
    kitSvg(facts),
    '</html>',
    '',
  ].join('\n')
}

function contentOf(facts: KitFacts): string {
  return kitLines(facts).join('\n')
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
