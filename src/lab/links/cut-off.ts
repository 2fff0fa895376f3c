// Cut networks of real processes, on networks for tests: each node is told by `quorate_cutOff` which peers it is cut off
// from. It ends its connections with them and has none until it is told otherwise.

import type { Node } from '../../node/node.ts'
import type { PeerId } from '../../replica/effects.ts'
import type { RpcBackend } from '../../rpc/backend.ts'
import { CODES, RpcError } from '../../rpc/errors.ts'
import type { Priced } from '../../rpc/methods.ts'
import { type Kind, type Params, required } from '../../rpc/parameters.ts'
import { PRICES } from '../../rpc/price.ts'

/** The name of the method. */
const METHOD = 'quorate_cutOff'

type Cuttable = Pick<Node, 'abortConnections'>

/** The peers that one node is cut off from. */
export class CutOff {
  #peers: ReadonlySet<PeerId> = new Set()

  /** Whether the node may have a connection with this peer. */
  mayConnect(peer: PeerId): boolean {
    return !this.#peers.has(peer)
  }

  /** Lets the node have no connection to exactly these peers from now on, as if the network were cut; none heals it. */
  cutOff(node: Cuttable, peers: readonly PeerId[]): void {
    this.#peers = new Set(peers)
    for (const peer of peers) node.abortConnections(peer)
  }

  /** The control method of a server of this node. Refused unless the genesis file says that the network is for tests. */
  methods(node: Cuttable): ReadonlyMap<string, Priced> {
    const answer = ({ replica }: RpcBackend, params: Params): boolean => {
      const peers = required(params, 0, PEER_IDS)
      if (!replica.genesis.forTests)
        throw new RpcError(
          CODES.refused,
          'this network is not for tests: its genesis file does not say forTests',
        )
      this.cutOff(node, peers)
      return true
    }
    return new Map([[METHOD, { answer, price: PRICES.memory }]])
  }
}

const PEER_IDS: Kind<readonly PeerId[]> = {
  expected: 'a list of peer ids',
  read: value =>
    Array.isArray(value) && value.every(item => typeof item === 'string' && /^[1-9A-Za-z]{1,128}$/.test(item))
      ? (value as string[])
      : null,
}
