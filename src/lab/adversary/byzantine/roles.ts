// The ways in which a member of a committee may break the rules, for tests: each by the name that the command line
// knows. A new one is one file beside this and one line here.

import { delay } from './delay.ts'
import { equivocate } from './equivocate.ts'
import { exaggerate } from './exaggerate.ts'
import { forge } from './forge.ts'
import { garble } from './garble.ts'
import type { MakeLie } from './lie.ts'
import { replay } from './replay.ts'
import { silent } from './silent.ts'
import { undercut } from './undercut.ts'
import { usurp } from './usurp.ts'
import { withhold } from './withhold.ts'

/** The roles, by the names the command line knows. */
export const BYZANTINE_ROLES = [
  'silent',
  'equivocate',
  'delay',
  'withhold',
  'forge',
  'replay',
  'usurp',
  'exaggerate',
  'garble',
  'undercut',
] as const

/** One way to lie. */
export type ByzantineRole = (typeof BYZANTINE_ROLES)[number]

/** How each of them is done. */
export const LIES: Readonly<Record<ByzantineRole, MakeLie>> = {
  silent,
  equivocate,
  delay,
  withhold,
  forge,
  replay,
  usurp,
  exaggerate,
  garble,
  undercut,
}
