// How libp2p 3 is set up: TCP, Noise, Yamux, identify and gossipsub, and bounds for all that a peer can cost.
//
// One connection may hold a queue for its link, one for gossip and one for what is encrypted (12 MiB each), a
// window for each stream (16 of 1 MiB), a frame that is not whole (1 MiB, which the wire guard sees to; the
// multiplexer itself would hold 4 GiB), and of what comes in a message (9 MiB), an RPC of gossip and gossip that waits
// (four of the largest blocks each): with hostile peers in all 56 inbound and chosen places and blocks of 1 MiB, 56 times
// 70 MiB.

import { type GossipSub, gossipsub } from '@libp2p/gossipsub'
import { type Identify, identify } from '@libp2p/identify'
import type { ConnectionGater, Libp2p, MultiaddrConnection, PeerInfo, PrivateKey } from '@libp2p/interface'
import { mdns } from '@libp2p/mdns'
import { tcp } from '@libp2p/tcp'
import { createLibp2p } from 'libp2p'
import type { BlockId } from '../chain/header.ts'
import { type FaultLog, guarded } from '../defence/guarded.ts'
import { boundedNoise } from './bounded-noise.ts'
import { compactYamux } from './compact-streams.ts'
import { gossipBytesMax, gossipOptions } from './gossip.ts'
import { INBOUND_CONNECTIONS_MAX, type InboundGate, PENDING_MAX, UPGRADE_TIMEOUT_MS } from './inbound-gate.ts'
import { OUTBOUND_BYTES_MAX } from './peer-link.ts'
import { PROTOCOL } from './peer-links.ts'
import { withConnections } from './transport-connections.ts'
import { WireGuard, type WireGuardOptions } from './wire-guard.ts'

/**
 * Connections above which libp2p prunes: more than the inbound places, the connections of our own choice and all given and
 * announced addresses together.
 */
export const CONNECTIONS_MAX = 160

/**
 * Inbound sockets at most, where the system accepts many at once faster than refused ones are closed. Beyond that Node drops
 * all new ones, also those of wanted peers, so it is far above what the gate admits.
 */
const SOCKETS_MAX = INBOUND_CONNECTIONS_MAX + 4 * PENDING_MAX
const STREAMS_PER_CONNECTION_MAX = 16
const STREAM_WINDOW_BYTES_MAX = 1024 * 1024

/** libp2p with the services that a node uses. */
export type Network = Libp2p<{ identify: Identify; gossip: GossipSub }>

/** What libp2p is set up with; see HostOptions. */
export interface NetworkOptions {
  readonly privateKey: PrivateKey
  readonly genesisId: BlockId
  readonly blockBytesMax: number
  readonly listen: readonly string[]
  readonly mdns: boolean
  /** Called with what a peer of the local network announces of itself, at each announcement. */
  onAnnounced(peer: PeerInfo): void
  /** Wraps each raw connection of the transport before libp2p uses it. */
  wrapConnection(raw: MultiaddrConnection): MultiaddrConnection
  readonly version: string
  readonly log: FaultLog
}

/** What libp2p asks before it connects, what Noise asks before it shakes hands, and what the wire guard asks later. */
export type NetworkGate = ConnectionGater &
  Partial<Pick<InboundGate, 'mayShakeHands'>> &
  Partial<Pick<WireGuardOptions, 'isPrivileged' | 'isLimited'>>

/** A libp2p node that is not started yet, with this gate. */
export async function createNetwork(options: NetworkOptions, gate: NetworkGate): Promise<Network> {
  const streamOptions = {
    maxStreamWindowSize: STREAM_WINDOW_BYTES_MAX,
    // An unread stream holds its window, and the peer can send no more than that.
    maxReadBufferLength: 2 * STREAM_WINDOW_BYTES_MAX,
  }
  const guard = new WireGuard({
    frameBytesMax: STREAM_WINDOW_BYTES_MAX,
    rpcBytesMax: gossipBytesMax(options.blockBytesMax),
    isSpoken: protocol => network.getProtocols().includes(protocol),
    isLink: protocol => protocol === PROTOCOL,
    isPrivileged: peer => gate.isPrivileged?.(peer) ?? false,
    isLimited: place => gate.isLimited?.(place) ?? true,
    log: options.log,
  })
  const sockets = tcp({ backlog: 64, maxConnections: SOCKETS_MAX })
  const network: Network = await createLibp2p({
    start: false,
    privateKey: options.privateKey,
    nodeInfo: { name: 'quorate', version: options.version },
    addresses: { listen: [...options.listen] },
    transports: [
      withConnections(sockets, 'guarded-links', raw => guard.beforeNoise(options.wrapConnection(raw))),
    ],
    connectionEncrypters: [boundedNoise(OUTBOUND_BYTES_MAX, guard, raw => gate.mayShakeHands?.(raw) ?? true)],
    streamMuxers: [
      compactYamux({
        maxInboundStreams: STREAMS_PER_CONNECTION_MAX,
        maxOutboundStreams: STREAMS_PER_CONNECTION_MAX,
        streamOptions,
      }),
    ],
    peerDiscovery: options.mdns ? [announcements(options)] : [],
    connectionGater: gate,
    connectionManager: {
      // Inbound connections are limited by the gate; libp2p's own limits treat all alike.
      maxConnections: CONNECTIONS_MAX,
      maxIncomingPendingConnections: SOCKETS_MAX,
      inboundConnectionThreshold: Number.MAX_SAFE_INTEGER,
      inboundUpgradeTimeout: UPGRADE_TIMEOUT_MS,
      maxParallelDials: 16,
    },
    // Its pings mistake a busy event loop for a dead peer; silent links are detected instead (peer-link.ts).
    connectionMonitor: { enabled: false },
    services: { identify: identify(), gossip: gossipsub(gossipOptions(options)) },
  })
  return network
}

/**
 * Multicast DNS of one network. Peers are taken from its own events: libp2p's discovery event is emitted once per peer, and
 * for peers that only connected too.
 */
function announcements({ genesisId, log, onAnnounced }: NetworkOptions): ReturnType<typeof mdns> {
  const create = mdns({ serviceTag: `_quorate-${genesisId.slice(2, 18)}._udp.local` })
  return components => {
    const discovery = create(components)
    const onPeer = ({ detail }: CustomEvent<PeerInfo>) => onAnnounced(detail)
    discovery.addEventListener('peer', guarded(log, 'noting a peer of the local network', onPeer))
    return discovery
  }
}
