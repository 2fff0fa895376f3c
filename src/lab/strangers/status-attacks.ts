// Attacks with a status: claims of work that was not done, one or many, and a status of another network. A node can't
// tell such a claim from a true one before it has the headers.

import type { OutgoingMessage } from '../../replica/messages.ts'
import { type Attack, BURST, ownStatus, randomId, type Scene } from './scene.ts'

const WORK_BITS_MAX = 200
const HEIGHT_MAX = 2 ** 40

/** Unasked statuses. */
export const STATUS_ATTACKS: readonly Attack[] = [
  { name: 'a claim of enormous work', make: scene => [claim(scene)] },
  { name: 'one claim again and again', make: scene => Array(BURST).fill(claim(scene)) },
  { name: 'ever greater claims', make: scene => Array.from({ length: BURST }, () => claim(scene)) },
  { name: 'a claim of no work', make: scene => [{ type: 'status', status: ownStatus(scene) }] },
  {
    name: 'a status of another network',
    isBlatant: true,
    make: scene => [{ type: 'status', status: { ...ownStatus(scene), genesisId: randomId(scene.random) } }],
  },
]

function claim(scene: Scene): OutgoingMessage {
  const { random, overheard } = scene
  const heard = overheard.statuses.length === 0 ? ownStatus(scene) : random.pick(overheard.statuses)
  const work = heard.work + (1n << BigInt(random.integer(0, WORK_BITS_MAX)))
  const headId = random.chance(0.5) ? randomId(random) : heard.headId
  const height = random.integer(0, HEIGHT_MAX)
  return { type: 'status', status: { ...ownStatus(scene), headId, height, work } }
}
