// The options for the addresses that a node listens on and the peers that it connects to. A malformed address ends the
// command with what was given and what was expected, before anything is opened; src/node/peer-address.ts defines the
// format.

import { CommandError, EXIT } from './exit-codes.ts'

/** The options of a node. */
export const addressOptions = {
  listen: {
    type: 'string',
    array: true,
    default: ['/ip4/127.0.0.1/tcp/0'],
    describe: 'Multiaddress to listen on for peers',
  },
  peer: {
    type: 'string',
    array: true,
    default: [] as string[],
    describe: 'Multiaddress of a node to connect to',
  },
} as const

const LISTEN_REMEDY =
  'A node listens over TCP at an IP address of its machine; /ip4/0.0.0.0/tcp/30303 is all of them.'
const PEER_REMEDY = 'A node prints its peer address when it starts.'

/** Ends the command when one of the addresses is invalid. */
export async function checkAddresses(args: {
  readonly listen: readonly string[]
  readonly peer: readonly string[]
}): Promise<void> {
  // Loaded here, for it brings parts of libp2p that other commands start without.
  const { InvalidAddress, readListenAddress, readPeerAddress } = await import('../node/peer-address.ts')
  const check = (option: string, read: (text: string) => unknown, text: string, remedy: string): void => {
    try {
      read(text)
    } catch (error) {
      if (!(error instanceof InvalidAddress)) throw error
      throw new CommandError(EXIT.usage, `${option}: ${error.message}`, remedy)
    }
  }
  for (const text of args.listen) check('--listen', readListenAddress, text, LISTEN_REMEDY)
  for (const text of args.peer) check('--peer', readPeerAddress, text, PEER_REMEDY)
}
