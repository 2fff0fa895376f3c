// How a node is set up: its files, its place in the network, its miner and its validator's key.
// All but the genesis, the data directory, the version and the log have defaults.

import type { Logger } from 'pino'
import type { Genesis } from '../execution/genesis.ts'
import type { CreateFinality } from '../finality/registry.ts'
import type { Checkpoint } from '../replica/checkpoint.ts'
import type { HostOptions } from './host-options.ts'

/** How a node is set up. */
export interface NodeOptions {
  readonly genesis: Genesis
  /** Folder of the chain, the node's identity and its known peers; created if it does not exist. */
  readonly dataDirectory: string
  /** Multiaddrs to listen on; a free port of the loopback interface by default. */
  readonly listen?: readonly string[]
  /** Multiaddrs of nodes to stay connected to. */
  readonly bootstrap?: readonly string[]
  /** Whether to look for nodes on the local network by multicast DNS; false by default. */
  readonly mdns?: boolean
  /** Wraps each raw connection of the transport before libp2p uses it; no wrapper by default. */
  readonly wrapConnection?: HostOptions['wrapConnection']
  /** Whether the node may have a connection with this peer; true for every peer by default. */
  readonly mayConnect?: HostOptions['mayConnect']
  /** Whether the limits by address and group hold for loopback addresses too; false by default. */
  readonly limitLoopback?: boolean
  /** Threads that mine, and the share of time that each mines (see src/mining/miner.ts for both defaults). */
  readonly mining?: { readonly threads?: number; readonly throttle?: number }
  /** The validator that this node runs; it only follows by default. */
  readonly validator?: ValidatorOptions
  /** Makes the finality layer; by default the one that the genesis file chooses. */
  readonly createFinality?: CreateFinality
  /** A block that every chain must contain to be followed; none by default. */
  readonly checkpoint?: Checkpoint
  /** The version that peers and clients are told, such as `0.1.0`. */
  readonly version: string
  readonly log: Logger
}

/** A validator. */
export interface ValidatorOptions {
  /** 32 bytes: the key of an address in the genesis file. */
  readonly secretKey: Uint8Array
  /** Vote although no record of earlier votes is left: safe only if there were none, or if none counts any more. */
  readonly mayForgetVotes: boolean
  /**
   * The file of the key. The vote mark (how far the key has voted) is kept beside it, so that it survives the loss of the
   * data folder; it is in the data folder by default, and where nothing can be written beside the key.
   */
  readonly keyPath?: string
}

/** The options of a node that its host takes. */
type NetworkOptions = Pick<
  HostOptions,
  'listen' | 'bootstrap' | 'mdns' | 'wrapConnection' | 'mayConnect' | 'limitLoopback' | 'version' | 'log'
>

/** What a node's host is given of its options, with the defaults. */
export function networkOptions(options: NodeOptions): NetworkOptions {
  return {
    listen: options.listen ?? ['/ip4/127.0.0.1/tcp/0'],
    bootstrap: options.bootstrap ?? [],
    mdns: options.mdns ?? false,
    wrapConnection: options.wrapConnection ?? (raw => raw),
    mayConnect: options.mayConnect ?? (() => true),
    limitLoopback: options.limitLoopback ?? false,
    version: options.version,
    log: options.log,
  }
}
