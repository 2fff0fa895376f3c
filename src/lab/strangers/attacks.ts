// What strangers do, for every kind of message that there is: what they send unasked, and what they answer to whoever asks
// them. A new kind of message needs a line here. Each attack is data, made from what the strangers have overheard; who
// gets it, and when, is decided in strangers.ts.
//
// A stranger has no key and does no work: whatever it makes itself is refused for what it is. What is genuine, it took from
// others, and it comes too late, too early, too often, or to those that it was not meant for.

import { type Block, decodeBlock } from '../../chain/block.ts'
import { decodeCompact } from '../../chain/compact.ts'
import { type BlockHeader, type BlockId, blockId, encodeHeader, meetsTarget } from '../../chain/header.ts'
import { signDigest } from '../../chain/signature.ts'
import {
  decodeTransaction,
  encodeTransaction,
  signingHash,
  type Transaction,
  type TransactionFields,
  type TransactionId,
} from '../../chain/transaction.ts'
import { toHex } from '../../encoding/bytes.ts'
import type { Genesis } from '../../execution/genesis.ts'
import {
  MESSAGE_LIMITS,
  type MessageType,
  type OutgoingMessage,
  type Status,
} from '../../replica/messages.ts'
import type { Client } from '../clients/workload.ts'
import type { Random } from '../virtual/random.ts'
import type { Overheard } from './overheard.ts'

/** What an attack is made from. */
export interface Scene {
  readonly genesis: Genesis
  /** An account without money. */
  readonly account: Client
  readonly overheard: Overheard
  readonly random: Random
}

/** The messages of one attack, in their order; none where nothing was overheard that it needs. */
type Make = (scene: Scene) => readonly OutgoingMessage[]

/** One kind of attack. */
export interface Attack {
  readonly name: string
  /** Whether a node denies a peer that does it, for no honest peer can. */
  readonly isBlatant?: boolean
  readonly make: Make
}

/** What is asked of a stranger. */
export type Question = Extract<OutgoingMessage, { type: 'get-headers' | 'get-blocks' | 'get-transactions' }>

/** What a stranger answers; an empty list is silence. */
export interface Answer {
  readonly name: string
  /** Whether it makes the node ask on, for more that it will not get: such an answer is given more often. */
  readonly isLure?: boolean
  readonly make: (question: Question, scene: Scene) => readonly OutgoingMessage[]
}

/** The same message so many times: more than anybody needs, and far less than a line carries. */
const BURST = 5
/** Words of others that are repeated together at most. */
const REPLAYS_MAX = 6
const WORK_BITS_MAX = 200
const HEIGHT_MAX = 2 ** 40
const GARBAGE_BYTES_MAX = 200
/** Headers that a stranger makes up together. */
const FORGED_MAX = 4
const GWEI = 10n ** 9n

/** What strangers send unasked. */
export const ATTACKS: { readonly [type in MessageType]: readonly Attack[] } = {
  status: [
    { name: 'a claim of enormous work', make: scene => [claim(scene)] },
    { name: 'one claim again and again', make: scene => Array(BURST).fill(claim(scene)) },
    { name: 'ever greater claims', make: scene => Array.from({ length: BURST }, () => claim(scene)) },
    { name: 'a claim of no work', make: scene => [{ type: 'status', status: ownStatus(scene) }] },
    {
      name: 'a status of another network',
      isBlatant: true,
      make: scene => [{ type: 'status', status: { ...ownStatus(scene), genesisId: randomId(scene.random) } }],
    },
  ],
  'get-headers': [
    { name: 'a question for all headers', make: scene => [askHeaders(scene, [scene.genesis.block.id])] },
    { name: 'an empty locator', make: scene => [askHeaders(scene, [])] },
    {
      name: 'a locator of unknown blocks',
      make: scene => [
        askHeaders(
          scene,
          times(MESSAGE_LIMITS.locatorIdsMax, () => randomId(scene.random)),
        ),
      ],
    },
    {
      name: 'the same question for headers again and again',
      make: scene => Array(BURST).fill(askHeaders(scene, [scene.genesis.block.id])),
    },
  ],
  headers: [
    { name: 'headers that nobody asked for', make: scene => [headers(scene.random, heardHeaders(scene))] },
    { name: 'headers without work, unasked', make: scene => [headers(scene.random, forgedHeaders(scene))] },
  ],
  'get-blocks': [
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
  ],
  blocks: [
    {
      name: 'blocks that nobody asked for',
      make: scene => [blocks(scene.random, some(scene.overheard.blocks, scene.random))],
    },
  ],
  block: [
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
  ],
  announce: [
    {
      name: 'ids of transactions of others again',
      make: ({ overheard, random }) => [announce(some(overheard.transactions, random))],
    },
    {
      name: 'ids of transactions that are nowhere',
      make: ({ random }) => [
        { type: 'announce', ids: times(MESSAGE_LIMITS.transactionsMax, () => randomId(random)) },
      ],
    },
    {
      name: 'a transaction without funds',
      make: scene => [announce(remembered(scene, unfunded(scene, {})))],
    },
    {
      name: 'a transaction of another chain',
      isBlatant: true,
      make: scene => [
        announce(remembered(scene, unfunded(scene, { chainId: scene.genesis.blocks.chainId + 1n }))),
      ],
    },
    {
      name: 'transactions without funds among those of others',
      make: scene => [
        announce([
          ...some(scene.overheard.transactions, scene.random),
          ...remembered(scene, unfunded(scene, { nonce: 7n })),
        ]),
      ],
    },
  ],
  'get-transactions': [
    {
      name: 'a question for transactions',
      make: scene => [askTransactions(scene, some(scene.overheard.transactions, scene.random).map(idOf))],
    },
    {
      name: 'a question for unknown transactions',
      make: scene => [
        askTransactions(
          scene,
          times(MESSAGE_LIMITS.transactionsMax, () => randomId(scene.random)),
        ),
      ],
    },
  ],
  transactions: [
    {
      name: 'transactions that nobody asked for',
      make: ({ overheard, random }) => [batchTo(randomNumber(random), some(overheard.transactions, random))],
    },
    {
      name: 'transactions without funds, unasked',
      make: scene => [batchTo(randomNumber(scene.random), unfunded(scene, {}))],
    },
  ],
  finality: [
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
  ],
}

/** What strangers answer to each kind of message that is a question. */
export const ANSWERS: { readonly [type in MessageType]: readonly Answer[] } = {
  'get-headers': [
    { name: 'no headers at all', make: () => [] },
    { name: 'headers that are none', make: ({ requestId }) => [headersTo(requestId, [])] },
    {
      name: 'headers of others',
      make: ({ requestId }, scene) => [headersTo(requestId, heardHeaders(scene))],
    },
    { name: 'a header at a time', make: ({ requestId }, scene) => drip(requestId, scene) },
    {
      name: 'the headers that were asked for',
      isLure: true,
      make: (question, scene) => [headersTo(question.requestId, headersAfter(question, scene))],
    },
    {
      name: 'headers without work',
      make: (question, scene) => [headersTo(question.requestId, forgedHeaders(scene, question))],
    },
    {
      name: 'an answer to another question for headers',
      make: ({ requestId }, scene) => [headersTo((requestId + 1) >>> 0, heardHeaders(scene))],
    },
  ],
  'get-blocks': [
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
        return [
          blocksTo(question.requestId, overheard.blocks.filter(({ id }) => ids.includes(id)).slice(0, 1)),
        ]
      },
    },
  ],
  'get-transactions': [
    { name: 'no transactions at all', make: () => [] },
    { name: 'transactions that are none', make: ({ requestId }) => [batchTo(requestId, [])] },
    {
      name: 'other transactions than were asked for',
      make: ({ requestId }, scene) => [batchTo(requestId, unfunded(scene, {}))],
    },
    {
      name: 'the transactions that were asked for',
      isLure: true,
      make: (question, { overheard }) => {
        const ids: readonly TransactionId[] = question.type === 'get-transactions' ? question.ids : []
        return [
          batchTo(
            question.requestId,
            overheard.transactions.filter(({ id }) => ids.includes(id)),
          ),
        ]
      },
    },
  ],
  announce: [],
  status: [],
  headers: [],
  blocks: [],
  block: [],
  transactions: [],
  finality: [],
}

/** The first words of a stranger, by which it is taken for a node of the network. */
export function ownStatus({ genesis }: Pick<Scene, 'genesis'>): Status {
  const { id } = genesis.block
  return { genesisId: id, chainId: genesis.blocks.chainId, headId: id, height: 0, work: 0n }
}

/** Bytes of which some are not as they were sent. */
export function spoil(bytes: Uint8Array, random: Random): Uint8Array {
  switch (random.integer(0, 2)) {
    case 0:
      return bytes.slice(0, random.integer(0, bytes.length - 1))
    case 1:
      return Uint8Array.of(...bytes, random.integer(0, 255))
    default:
      return flipBit(random)(bytes)
  }
}

function claim(scene: Scene): OutgoingMessage {
  const { random, overheard } = scene
  const heard = overheard.statuses.length === 0 ? ownStatus(scene) : random.pick(overheard.statuses)
  const work = heard.work + (1n << BigInt(random.integer(0, WORK_BITS_MAX)))
  const headId = random.chance(0.5) ? randomId(random) : heard.headId
  const height = random.integer(0, HEIGHT_MAX)
  return { type: 'status', status: { ...ownStatus(scene), headId, height, work } }
}

function askHeaders({ random }: Scene, locator: readonly BlockId[]): OutgoingMessage {
  return { type: 'get-headers', requestId: randomNumber(random), locator }
}

function askBlocks({ random }: Scene, ids: readonly BlockId[]): OutgoingMessage {
  return { type: 'get-blocks', requestId: randomNumber(random), ids: ids.slice(0, MESSAGE_LIMITS.blocksMax) }
}

function headers(random: Random, list: readonly BlockHeader[]): OutgoingMessage {
  return headersTo(randomNumber(random), list)
}

function headersTo(requestId: number, list: readonly BlockHeader[]): OutgoingMessage {
  return { type: 'headers', requestId, headers: list }
}

function blocks(random: Random, list: readonly Block[]): OutgoingMessage {
  return blocksTo(randomNumber(random), list)
}

function blocksTo(requestId: number, list: readonly Block[]): OutgoingMessage {
  return { type: 'blocks', requestId, blocks: list.slice(0, MESSAGE_LIMITS.blocksMax) }
}

function announce(transactions: readonly Transaction[]): OutgoingMessage {
  return { type: 'announce', ids: transactions.map(idOf) }
}

function askTransactions({ random }: Scene, ids: readonly TransactionId[]): OutgoingMessage {
  return { type: 'get-transactions', requestId: randomNumber(random), ids }
}

function batchTo(requestId: number, transactions: readonly Transaction[]): OutgoingMessage {
  return { type: 'transactions', requestId, transactions }
}

/** Remembers transactions that a stranger made, for nodes that ask for them. */
function remembered({ overheard }: Scene, transactions: readonly Transaction[]): readonly Transaction[] {
  overheard.note({ type: 'transactions', requestId: 0, transactions })
  return transactions
}

function idOf({ id }: Transaction): TransactionId {
  return id
}

function asBlock(block: Pick<Block, 'raw'>): OutgoingMessage {
  return { type: 'block', block: block as Block }
}

/** Headers that follow on each other, as far as they were overheard: from any of them on. */
function heardHeaders({ overheard, random }: Scene): BlockHeader[] {
  if (overheard.headers.length === 0) return []
  return chainFrom(random.pick(overheard.headers), overheard)
}

/** The best that a stranger knows to answer: headers on the chain of the node that asks, whose blocks it need not give. */
function headersAfter(question: Question, { overheard }: Scene): BlockHeader[] {
  const locator: readonly BlockId[] = question.type === 'get-headers' ? question.locator : []
  const runs = overheard.headers
    .filter(({ previous }) => locator.includes(previous))
    .map(header => chainFrom(header, overheard))
  return runs.reduce((longest, run) => (run.length > longest.length ? run : longest), [])
}

/** A header and those that follow on it, as far as they were overheard. */
function chainFrom(first: BlockHeader, { headers: heard }: Overheard): BlockHeader[] {
  const next = new Map(heard.map(header => [header.previous, header]))
  const chain: BlockHeader[] = []
  for (
    let header: BlockHeader | undefined = first;
    header !== undefined && chain.length < heard.length;
    header = next.get(blockId(header))
  )
    chain.push(header)
  return chain
}

/** Headers after the head of the node that asks, which hold no work and say that they do. */
function forgedHeaders(scene: Scene, question?: Question): BlockHeader[] {
  const { genesis, overheard, random } = scene
  const locator = question?.type === 'get-headers' ? question.locator : []
  const model = overheard.headers.length === 0 ? genesis.block.header : random.pick(overheard.headers)
  const forged: BlockHeader[] = []
  let previous = locator[0] ?? genesis.block.id
  for (let left = random.integer(1, FORGED_MAX); left > 0; left--) {
    const header = idleHeader({ ...model, previous, time: model.time + forged.length, nonce: left })
    forged.push(header)
    previous = blockId(header)
  }
  return forged
}

/** One header after the other, each an answer of its own to one question. */
function drip(requestId: number, scene: Scene): OutgoingMessage[] {
  return heardHeaders(scene)
    .slice(0, BURST)
    .map(header => headersTo(requestId, [header]))
}

/** The header with a nonce that does not meet its target: a stranger never mines, not even by chance. */
function idleHeader(header: BlockHeader): BlockHeader {
  const target = decodeCompact(header.bits)
  let { nonce } = header
  while (target !== null && meetsTarget(blockId({ ...header, nonce }), target)) nonce += 1
  return { ...header, nonce }
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

/** Transfers that are signed as they should be, by an account that never had anything. */
function unfunded({ genesis, account, random }: Scene, changes: Partial<TransactionFields>): Transaction[] {
  const fields: TransactionFields = {
    type: 'eip1559',
    chainId: genesis.blocks.chainId,
    nonce: BigInt(random.integer(0, 3)),
    maxFeePerGas: 1_000n * GWEI,
    maxPriorityFeePerGas: GWEI,
    gasLimit: 21_000n,
    to: account.address,
    value: BigInt(random.integer(1, 1_000)),
    data: new Uint8Array(),
    accessList: [],
    ...changes,
  }
  const tx = decodeTransaction(encodeTransaction(fields, signDigest(signingHash(fields), account.secretKey)))
  if (typeof tx === 'string') throw new Error(`a stranger signs what is no transaction: ${tx}`)
  return [tx]
}

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

function flipBit(random: Random): (bytes: Uint8Array) => Uint8Array {
  return bytes => {
    const flipped = bytes.slice()
    const at = random.integer(0, Math.max(0, bytes.length - 1))
    if (bytes.length > 0) flipped[at] = flipped[at]! ^ (1 << random.integer(0, 7))
    return flipped
  }
}

/** Some of the items, each once. */
function some<T>(items: readonly T[], random: Random, max = BURST): T[] {
  return random.shuffle(items).slice(0, random.integer(1, max))
}

function times<T>(count: number, make: () => T): T[] {
  return Array.from({ length: count }, make)
}

function randomNumber(random: Random): number {
  return random.integer(0, 2 ** 32 - 1)
}

function randomBytes(random: Random, length: number): Uint8Array {
  return Uint8Array.from({ length }, () => random.integer(0, 255))
}

function randomId(random: Random): BlockId {
  return toHex(randomBytes(random, 32))
}
