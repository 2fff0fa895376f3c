// Attacks with messages of validators: those that were overheard, sent to other nodes as they are or damaged, and bytes
// that are no message.

import type { Block } from '../../chain/block.ts'
import type { OutgoingMessage } from '../../replica/messages.ts'
import { type Attack, flipBit, randomBytes, type Scene, some } from './scene.ts'

/** Messages that are repeated together at most. */
const REPLAYS_MAX = 6
const GARBAGE_BYTES_MAX = 200

/** Messages of validators. */
export const FINALITY_ATTACKS: readonly Attack[] = [
  { name: 'words of a validator to others', make: scene => words(scene, bytes => bytes) },
  {
    name: 'words of a validator with a bit flipped',
    isBlatant: true,
    make: scene => words(scene, flipBit(scene.random)),
  },
  {
    name: 'words of a validator cut short',
    isBlatant: true,
    make: scene => words(scene, bytes => bytes.slice(0, scene.random.integer(0, bytes.length))),
  },
  {
    name: 'words of a validator with a block',
    make: scene =>
      scene.overheard.blocks.length === 0
        ? []
        : words(scene, bytes => bytes, scene.random.pick(scene.overheard.blocks)),
  },
  {
    name: 'words that are none',
    isBlatant: true,
    make: ({ random }) => [
      { type: 'finality', body: randomBytes(random, random.integer(0, GARBAGE_BYTES_MAX)), block: null },
    ],
  },
]

/** Words that validators said before, changed or not. */
function words(
  { overheard, random }: Scene,
  change: (bytes: Uint8Array) => Uint8Array,
  block: Block | null = null,
): OutgoingMessage[] {
  return some(overheard.bodies, random, REPLAYS_MAX).map(body => ({
    type: 'finality',
    body: change(body),
    block,
  }))
}
