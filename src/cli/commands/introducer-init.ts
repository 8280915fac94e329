import { command, type Command } from '../command.ts'
import {
  clientOptions,
  founded,
  foundingOptions,
  givenSettings,
  listenOptions,
  makeHome,
  noStorage,
} from '../make-home.ts'

/** Beside a node's 7780, so that one machine can run both. */
const defaultListen = ['/ip4/0.0.0.0/tcp/7781']

export const introducerInit: Command = command({
  arguments: [],
  options: { nickname: clientOptions.nickname, ...listenOptions, ...foundingOptions },
  examples: [
    ['grid introducer init --membership signed', 'let in only who was invited'],
    ['grid introducer init --announce /dns4/intro.example/tcp/7781', 'print what nodes need'],
  ],
  async run(context, { options }) {
    const listen = options.listen.length > 0 ? options.listen : defaultListen
    const { settings: founding, secrets } = founded(options, context.world.random)
    const given = [...givenSettings({ ...options, listen }), ...founding]
    const settings = [...given, noStorage('grid introducer init')]
    const { id } = await makeHome(context, settings, secrets)
    const reached = options.announce.length > 0 ? options.announce : listen
    const addresses = reached.map((address) => `${address}/p2p/${id}`)
    await context.output.item({ peerId: id, addresses }, addresses.join('\n'))
    if (addresses.some((address) => /\/(0\.0\.0\.0|::)\//.test(address))) {
      context.output.note('give others this line with a real address in place of 0.0.0.0')
    }
    return { summary: { home: context.home.path, peerId: id, addresses } }
  },
})
