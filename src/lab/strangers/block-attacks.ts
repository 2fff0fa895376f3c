// Attacks with blocks, and with questions for them: old blocks again, blocks without work, and the body of one block
// under the header of another.

import { type Block, decodeBlock } from '../../chain/block.ts'
import { type BlockId, blockId, encodeHeader } from '../../chain/header.ts'
import { MESSAGE_LIMITS, type OutgoingMessage } from '../../replica/messages.ts'
import type { Random } from '../virtual/random.ts'
import { heardHeaders, idleHeader } from './header-attacks.ts'
import { type Answer, type Attack, randomId, randomNumber, type Scene, some, times } from './scene.ts'

/** Questions for blocks. */
export const BLOCK_QUESTIONS: readonly Attack[] = [
  { name: 'a question for blocks', make: scene => [askBlocks(scene, heardHeaders(scene).map(blockId))] },
  {
    name: 'a question for one block many times',
    make: scene => [askBlocks(scene, Array(MESSAGE_LIMITS.blocksMax).fill(scene.genesis.block.id))],
  },
  {
    name: 'a question for unknown blocks',
    make: scene => [
      askBlocks(
        scene,
        times(MESSAGE_LIMITS.blocksMax, () => randomId(scene.random)),
      ),
    ],
  },
]

/** Answers that were not asked for. */
export const BLOCKS_ATTACKS: readonly Attack[] = [
  {
    name: 'blocks that nobody asked for',
    make: scene => [blocks(scene.random, some(scene.overheard.blocks, scene.random))],
  },
]

/** Blocks by gossip. */
export const BLOCK_ATTACKS: readonly Attack[] = [
  { name: 'an old block again', make: scene => some(scene.overheard.blocks, scene.random, 1).map(asBlock) },
  { name: 'many old blocks again', make: scene => some(scene.overheard.blocks, scene.random).map(asBlock) },
  {
    name: 'a block without work',
    isBlatant: true,
    make: scene => idleBlock(scene, block => block.header.previous),
  },
  {
    name: 'a block without work on an unknown one',
    isBlatant: true,
    make: scene => idleBlock(scene, () => randomId(scene.random)),
  },
  {
    name: 'the body of one block under the header of another',
    isBlatant: true,
    make: ({ overheard: { blocks, headers }, random }) =>
      blocks.length === 0
        ? []
        : [asBlock(withHeader(random.pick(blocks), encodeHeader(random.pick(headers))))],
  },
]

/** Answers to a question for blocks. */
export const BLOCK_ANSWERS: readonly Answer[] = [
  { name: 'no blocks at all', make: () => [] },
  { name: 'blocks that are none', make: ({ requestId }) => [blocksTo(requestId, [])] },
  {
    name: 'other blocks than were asked for',
    make: ({ requestId }, { overheard, random }) => [blocksTo(requestId, some(overheard.blocks, random))],
  },
  {
    name: 'one of the blocks',
    make: (question, { overheard }) => {
      const ids: readonly BlockId[] = question.type === 'get-blocks' ? question.ids : []
      return [blocksTo(question.requestId, overheard.blocks.filter(({ id }) => ids.includes(id)).slice(0, 1))]
    },
  },
]

function askBlocks({ random }: Scene, ids: readonly BlockId[]): OutgoingMessage {
  return { type: 'get-blocks', requestId: randomNumber(random), ids: ids.slice(0, MESSAGE_LIMITS.blocksMax) }
}

function blocks(random: Random, list: readonly Block[]): OutgoingMessage {
  return blocksTo(randomNumber(random), list)
}

function blocksTo(requestId: number, list: readonly Block[]): OutgoingMessage {
  return { type: 'blocks', requestId, blocks: list.slice(0, MESSAGE_LIMITS.blocksMax) }
}

function asBlock(block: Pick<Block, 'raw'>): OutgoingMessage {
  return { type: 'block', block: block as Block }
}

function idleBlock({ overheard, random }: Scene, previousOf: (block: Block) => BlockId): OutgoingMessage[] {
  if (overheard.blocks.length === 0) return []
  const block = random.pick(overheard.blocks)
  const header = idleHeader({
    ...block.header,
    previous: previousOf(block),
    nonce: randomNumber(random) >>> 1,
  })
  return [asBlock(withHeader(block, encodeHeader(header)))]
}

function withHeader({ raw }: Block, header: Uint8Array): Pick<Block, 'raw'> {
  const bytes = raw.slice()
  bytes.set(header)
  const block = decodeBlock(bytes)
  return typeof block === 'string' ? { raw: bytes } : block
}
