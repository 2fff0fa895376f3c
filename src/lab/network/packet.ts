// A message on its way, as the link model sees it, which decides how long it takes, and the quorum watch, which decides
// whether it would complete a quorum.

import type { PeerId } from '../../replica/effects.ts'
import type { Tag } from './costs.ts'

/** A message on its way to one receiver, and what chance and partitions would do with it. */
export interface Packet {
  readonly from: PeerId
  readonly to: PeerId
  readonly bytes: number
  readonly tag: Tag | null
  readonly nowMs: number
  readonly delayMs: number
  readonly isLost: boolean
}
