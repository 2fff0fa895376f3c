// Attacks with headers, and with questions for them: more than a node needs, headers that were not asked for, and headers
// without work.

import { decodeCompact } from '../../chain/compact.ts'
import { type BlockHeader, type BlockId, blockId, meetsTarget } from '../../chain/header.ts'
import { MESSAGE_LIMITS, type OutgoingMessage } from '../../replica/messages.ts'
import type { Random } from '../virtual/random.ts'
import type { Overheard } from './overheard.ts'
import {
  type Answer,
  type Attack,
  BURST,
  type Question,
  randomId,
  randomNumber,
  type Scene,
  times,
} from './scene.ts'

/** Headers that a stranger makes up together. */
const FORGED_MAX = 4

/** Questions for headers. */
export const HEADER_QUESTIONS: readonly Attack[] = [
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
]

/** Headers that were not asked for. */
export const HEADER_ATTACKS: readonly Attack[] = [
  { name: 'headers that nobody asked for', make: scene => [headers(scene.random, heardHeaders(scene))] },
  { name: 'headers without work, unasked', make: scene => [headers(scene.random, forgedHeaders(scene))] },
]

/** Answers to a question for headers. */
export const HEADER_ANSWERS: readonly Answer[] = [
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
]

/** Headers that follow on each other, as far as they were overheard: from any of them on. */
export function heardHeaders({ overheard, random }: Scene): BlockHeader[] {
  if (overheard.headers.length === 0) return []
  return chainFrom(random.pick(overheard.headers), overheard)
}

/** The header with a nonce that does not meet its target: a stranger never mines, not even by chance. */
export function idleHeader(header: BlockHeader): BlockHeader {
  const target = decodeCompact(header.bits)
  let { nonce } = header
  while (target !== null && meetsTarget(blockId({ ...header, nonce }), target)) nonce += 1
  return { ...header, nonce }
}

function askHeaders({ random }: Scene, locator: readonly BlockId[]): OutgoingMessage {
  return { type: 'get-headers', requestId: randomNumber(random), locator }
}

function headers(random: Random, list: readonly BlockHeader[]): OutgoingMessage {
  return headersTo(randomNumber(random), list)
}

function headersTo(requestId: number, list: readonly BlockHeader[]): OutgoingMessage {
  return { type: 'headers', requestId, headers: list }
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
