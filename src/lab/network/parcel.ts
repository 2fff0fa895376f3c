// A message on its way, as those see it who decide how long it takes: the course of each message, and whoever watches
// what would complete a quorum.

import type { PeerId } from '../../replica/effects.ts'
import type { Tag } from './costs.ts'

/** A message on its way to one receiver, and what chance and partitions would do with it. */
export interface Parcel {
  readonly from: PeerId
  readonly to: PeerId
  readonly bytes: number
  readonly tag: Tag | null
  readonly nowMs: number
  readonly delayMs: number
  readonly isLost: boolean
}
