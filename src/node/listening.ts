// Starts libp2p's network, which binds the addresses that the node listens on.
// Why an address can't be bound is told in the operating system's words: libp2p's text has stack traces in it.

import type { Network } from './libp2p-network.ts'

/** The node can't listen on its addresses. */
export class ListenFailed extends Error {
  override name = 'ListenFailed'
}

/** Starts a network that was created with these addresses. Throws `ListenFailed`. */
export async function startListening(network: Network, addresses: readonly string[]): Promise<void> {
  try {
    await network.start()
  } catch (cause) {
    const text = cause instanceof Error ? cause.message : String(cause)
    const reason = /\blisten E[A-Z]+: [^\n]*/.exec(text)?.[0] ?? text
    throw new ListenFailed(`can't listen at ${addresses.join(', ')}: ${reason.replaceAll(/\s+/g, ' ')}`, {
      cause,
    })
  }
}
