// What a node shows to others: S5, nothing that is not durable; C9, no block that no node accepted; C11, no blame for an
// honest peer.

import type { Block } from '../../chain/block.ts'
import { type BlockId, blockId, readHeader } from '../../chain/header.ts'
import type { TransactionId } from '../../chain/transaction.ts'
import { ByteReader } from '../../encoding/bytes.ts'
import type { Effect, PeerId } from '../../replica/effects.ts'
import { KEYS } from '../../replica/records.ts'
import { verdictOn } from '../../replica/verdict.ts'
import type { SimNode } from '../cluster/sim-node.ts'
import type { NaiveChain } from './naive-chain.ts'
import { Violation } from './violation.ts'

/** S5 and C9 of what leaves a node. */
export function checkSent(node: SimNode, effect: Extract<Effect, { type: 'send' | 'broadcast' }>): void {
  const { type, message } = effect
  const claimed = type === 'send' && message.type === 'status' ? message.status.headId : null
  if (claimed !== null && !isOnDisk(node, claimed))
    throw new Violation('S5', `${node.id} claims ${claimed} before it is on disk`)
  const sent = type === 'broadcast' && message.type === 'block' ? message.block.id : null
  if (sent !== null && !isOnDisk(node, sent))
    throw new Violation('S5', `${node.id} sends block ${sent} before it is on disk`)
}

/** C9: blocks that a node serves were judged before. */
export function checkServed(node: SimNode, blocks: readonly Pick<Block, 'raw'>[], chain: NaiveChain): void {
  for (const { raw } of blocks) {
    const id = blockId(readHeader(new ByteReader(raw)))
    if (!chain.has(id)) throw new Violation('C9', `${node.id} hands out block ${id}, which nobody took in`)
  }
}

/** S5 of an answer to a client. */
export function checkAcknowledged(node: SimNode, id: TransactionId): void {
  if (node.disk.isDurable(KEYS.pooled(id))) return
  const { view, outcomes } = node.replica!
  // Between the answer and now a block may have taken it, or the node may have dropped it, and says so.
  if (view.locate(id) !== null || outcomes.get(id) !== undefined) return
  throw new Violation('S5', `${node.id} acknowledges ${id} before it is on disk`)
}

/** C9 of gossip: a block that a node did not accept it does not pass on. */
export function checkRelayed(node: SimNode, id: BlockId, effects: readonly Effect[]): void {
  const isRelayed = effects.some(({ type }) => type === 'relay')
  const { tree, view } = node.replica!
  // What it accepted may be below the last final block by now, with others that waited for it.
  if (isRelayed && !tree.has(id) && view.mainHeight(id) === null)
    throw new Violation('C9', `${node.id} passes on block ${id}, which it refuses`)
}

/** C11: a node blames only peers that `mayBeBlamed`. */
export function checkBlame(
  node: SimNode,
  effect: Extract<Effect, { type: 'reject' | 'disconnect' }>,
  mayBeBlamed: (peer: PeerId) => boolean,
): void {
  if (effect.type === 'reject') {
    if (verdictOn(effect.reason) === 'ignore' || mayBeBlamed(effect.from)) return
    throw new Violation('C11', `${node.id} blames honest ${effect.from} for ${effect.reason}`)
  }
  // A peer of its own network may be slow, but the network is too small for too many peers.
  if (effect.reason === 'peer-stalled' || mayBeBlamed(effect.peer)) return
  throw new Violation('C11', `${node.id} leaves honest ${effect.peer} for ${effect.reason}`)
}

function isOnDisk(node: SimNode, id: BlockId): boolean {
  return node.disk.isDurable(KEYS.block(id))
}
