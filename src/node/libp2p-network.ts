// How libp2p 3 is set up: TCP, Noise, Yamux, identify and gossipsub, and bounds for all that a peer can cost.
//
// One connection may hold a queue for its link, one for gossip and one for what is encrypted (12 MiB each), a
// window for each stream (16 of 1 MiB), and of what comes in a message, an RPC of gossip and gossip that waits
// (about 10 MiB each): with CONNECTIONS_MAX peers that all do their worst, 64 times 85 MiB.

import { type GossipSub, gossipsub } from '@libp2p/gossipsub'
import { type Identify, identify } from '@libp2p/identify'
import type { Connection, ConnectionGater, Libp2p, PrivateKey } from '@libp2p/interface'
import { mdns } from '@libp2p/mdns'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import { createLibp2p } from 'libp2p'
import type { BlockId } from '../chain/header.ts'
import { boundedNoise } from './bounded-noise.ts'
import type { DenyList } from './deny-list.ts'
import { gossipOptions } from './gossip.ts'
import type { FaultLog } from './guarded.ts'
import type { LinkQuality } from './link-delays.ts'
import { OUTBOUND_BYTES_MAX } from './peer-link.ts'
import { slowLinks } from './slow-links.ts'

/** Connections at most; those that others open to us leave some for those that we open. */
export const CONNECTIONS_MAX = 64
/** Connections that others may open to us. */
export const INBOUND_CONNECTIONS_MAX = 48

const CONNECTIONS_PER_PEER_MAX = 2
const STREAMS_PER_CONNECTION_MAX = 16
const STREAM_WINDOW_BYTES_MAX = 1024 * 1024

/** libp2p with the services that a node uses. */
export type Network = Libp2p<{ identify: Identify; gossip: GossipSub }>

/** What libp2p is set up with; see HostOptions. */
export interface NetworkOptions {
  readonly privateKey: PrivateKey
  readonly genesisId: BlockId
  readonly listen: readonly string[]
  readonly mdns: boolean
  /** What its links are like, on a network for tests; null for what they are. */
  readonly links: LinkQuality | null
  readonly version: string
  readonly log: FaultLog
}

/** A libp2p node that is not started yet, and to whom nobody connects who is denied. */
export async function createNetwork(options: NetworkOptions, denied: DenyList): Promise<Network> {
  const streamOptions = {
    maxStreamWindowSize: STREAM_WINDOW_BYTES_MAX,
    // A stream that is not read holds its window, and no more than that can come.
    maxReadBufferLength: 2 * STREAM_WINDOW_BYTES_MAX,
  }
  const tag = `_quorate-${options.genesisId.slice(2, 18)}._udp.local`
  const sockets = tcp({ backlog: 64, maxConnections: CONNECTIONS_MAX })
  // No seed: which packet meets which chance is up to the machine anyway.
  const transport =
    options.links === null ? sockets : slowLinks(sockets, options.links, Math.random, options.log)
  let network: Network | null = null
  const gater = createGater(denied, () => network?.getConnections() ?? [])
  network = await createLibp2p({
    start: false,
    privateKey: options.privateKey,
    nodeInfo: { name: 'quorate', version: options.version },
    addresses: { listen: [...options.listen] },
    transports: [transport],
    connectionEncrypters: [boundedNoise(OUTBOUND_BYTES_MAX)],
    streamMuxers: [
      yamux({
        maxInboundStreams: STREAMS_PER_CONNECTION_MAX,
        maxOutboundStreams: STREAMS_PER_CONNECTION_MAX,
        streamOptions,
      }),
    ],
    peerDiscovery: options.mdns ? [mdns({ serviceTag: tag })] : [],
    connectionGater: gater,
    connectionManager: {
      maxConnections: CONNECTIONS_MAX,
      maxParallelDials: 16,
      maxIncomingPendingConnections: 16,
      // Of one address: several nodes may run on one machine and start together.
      inboundConnectionThreshold: 20,
    },
    // Its pings take a busy event loop for a dead peer; silence on the link is what tells (see peer-link.ts).
    connectionMonitor: { enabled: false },
    services: { identify: identify(), gossip: gossipsub(gossipOptions(options.genesisId)) },
  })
  return network
}

/** Who may connect. */
function createGater(denied: DenyList, connections: () => Connection[]): ConnectionGater {
  const isDenied = (peer: { toString(): string }) => denied.has(peer.toString(), performance.now())
  const isCrowded = (peer: { toString(): string }) => {
    const id = peer.toString()
    return (
      connections().filter(other => other.remotePeer.toString() === id).length >= CONNECTIONS_PER_PEER_MAX
    )
  }
  return {
    denyDialPeer: isDenied,
    denyInboundConnection: () =>
      connections().filter(({ direction }) => direction === 'inbound').length >= INBOUND_CONNECTIONS_MAX,
    denyInboundEncryptedConnection: peer => isDenied(peer) || isCrowded(peer),
    denyOutboundEncryptedConnection: peer => isDenied(peer),
  }
}
