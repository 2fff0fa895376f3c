// The node and its network: the chain, the program, the peers, and whether it is behind. The node holds no keys, so it
// has no accounts.

import { keccak256 } from '../chain/hash.ts'
import { toHex } from '../encoding/bytes.ts'
import type { Json } from '../encoding/fields.ts'
import type { RpcBackend } from './backend.ts'
import { DATA, type Params, required } from './parameters.ts'
import { quantity } from './quantity.ts'

/** `eth_chainId`. */
export function chainId({ replica }: RpcBackend): Json {
  return quantity(replica.genesis.blocks.chainId)
}

/** `net_version`: the chain id in decimal. */
export function networkVersion({ replica }: RpcBackend): Json {
  return replica.genesis.blocks.chainId.toString()
}

/** `web3_clientVersion`. */
export function clientVersion({ version }: RpcBackend): Json {
  return `quorate/v${version}`
}

/** `web3_sha3`: the Keccak-256 of bytes. */
export function keccak(_backend: RpcBackend, params: Params): Json {
  return toHex(keccak256(required(params, 0, DATA)))
}

/** `net_listening`. */
export function isListening(): Json {
  return true
}

/** `net_peerCount`. */
export function peerCount(backend: RpcBackend): Json {
  return quantity(backend.peers().length)
}

/** `eth_accounts`: none, ever. */
export function accounts(): Json {
  return []
}

/** `eth_syncing`: false, or how far; what is below `startingBlock` is final here. */
export function syncing(backend: RpcBackend): Json {
  const progress = backend.syncProgress()
  if (progress === null) return false
  return {
    startingBlock: quantity(backend.replica.tree.base.chained.height),
    currentBlock: quantity(progress.height),
    highestBlock: quantity(progress.target),
  }
}

/** `quorate_peers`. */
export function peers(backend: RpcBackend): Json {
  return backend.peers().map(({ id, address, direction }) => ({ id, address, direction }))
}

/** `quorate_counters`: what the node has done since it was started; see src/node/counters.ts for what counts. */
export function counters(backend: RpcBackend): Json {
  const { sent, signaturesChecked, hashes, reorganisations, deepestReorganisation } = backend.counters()
  return {
    sent: Object.fromEntries(
      [...sent].map(([kind, { messages, bytes }]) => [
        kind,
        { messages: quantity(messages), bytes: quantity(bytes) },
      ]),
    ),
    signaturesChecked: quantity(signaturesChecked),
    hashes: quantity(hashes),
    reorganisations: quantity(reorganisations),
    deepestReorganisation: quantity(deepestReorganisation),
  }
}
