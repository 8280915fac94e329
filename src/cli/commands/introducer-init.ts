import { command, type Command } from '../command.ts'
import { clientOptions, givenSettings, listenOptions, makeHome, noStorage } from '../make-home.ts'

/** Beside a node's 7780, so that one machine can run both. */
const defaultListen = ['/ip4/0.0.0.0/tcp/7781']

export const introducerInit: Command = command({
  arguments: [],
  options: { nickname: clientOptions.nickname, ...listenOptions },
  examples: [
    ['grid introducer init --announce /dns4/intro.example/tcp/7781', 'print what nodes need'],
  ],
  async run(context, { options }) {
    const listen = options.listen.length > 0 ? options.listen : defaultListen
    const settings = [...givenSettings({ ...options, listen }), noStorage('grid introducer init')]
    const { id } = await makeHome(context, settings)
    const reached = options.announce.length > 0 ? options.announce : listen
    const addresses = reached.map((address) => `${address}/p2p/${id}`)
    await context.output.item({ peerId: id, addresses }, addresses.join('\n'))
    if (addresses.some((address) => /\/(0\.0\.0\.0|::)\//.test(address))) {
      context.output.note('give others this line with a real address in place of 0.0.0.0')
    }
    return { summary: { home: context.home.path, peerId: id, addresses } }
  },
})
