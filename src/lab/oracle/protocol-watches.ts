// The watchers of protocols, by the names of their kits. A protocol without one is held to what every protocol must
// keep.

import { PBFT, PBFT_LEADER_COLLECTED } from '../../consensus/pbft/kit.ts'
import { PbftWatch } from '../pbft/pbft-watch.ts'
import type { ProtocolWatch, WatchOptions } from './protocol-watch.ts'

const WATCHES: ReadonlyMap<string, (options: WatchOptions) => ProtocolWatch> = new Map([
  [PBFT.name, options => new PbftWatch(options)],
  [PBFT_LEADER_COLLECTED.name, options => new PbftWatch(options)],
])

/** The watcher of the protocol with this name; null where there is none. */
export function watchOf(name: string, options: WatchOptions): ProtocolWatch | null {
  return WATCHES.get(name)?.(options) ?? null
}
