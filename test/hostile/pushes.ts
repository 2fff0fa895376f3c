// Strangers that send what nobody asked for: answers, blocks without work, transactions without money, a block by the word
// of the finality layer. All of it is dear to decode or to check.

import { randomBytes } from 'node:crypto'
import { encodeCoinbase } from '../../src/chain/coinbase.ts'
import { encodeHeader } from '../../src/chain/header.ts'
import type { Transaction, TransactionId } from '../../src/chain/transaction.ts'
import { BoundedMap } from '../../src/collections/bounded-map.ts'
import { ByteWriter, toHex } from '../../src/encoding/bytes.ts'
import { frameMessage } from '../../src/node/frames.ts'
import { encodeMessage } from '../../src/replica/message-codec.ts'
import { MESSAGE_LIMITS, MESSAGE_TYPES, type Message } from '../../src/replica/messages.ts'
import { encodeEnvelope } from '../finality/pbft-envelope.ts'
import type { Attack } from './attack.ts'
import type { Attacker } from './attacker.ts'
import { FINALITY_SAMPLES } from './requests.ts'
import type { Stranger, Target } from './stranger.ts'
import { someUnfunded, unfundedTransactions } from './unfunded.ts'

/** The largest block that a message can carry: of some 85,000 transactions. */
const LARGE_BLOCK_BYTES = MESSAGE_LIMITS.bytesMax - 1_024
/** Announcements a second of transactions that make 0.2 MB. */
const BATCHES_PER_SECOND = 7
/** Transactions that a stranger keeps to give them. */
const OFFERED_MAX = 16_384

/** What nobody asked for. */
export const pushes: readonly Attack[] = [
  {
    name: 'sends headers that nobody asked for',
    covers: ['headers'],
    run: attacker => {
      const header = headerOf(attacker.target)
      const headers = Array.from({ length: MESSAGE_LIMITS.headersMax }, () => header)
      return repeating(attacker, { type: 'headers', requestId: 7, headers })
    },
  },
  {
    name: 'sends blocks that nobody asked for',
    covers: ['blocks'],
    run: attacker => {
      const raw = worklessBlock(attacker.target, 500_000)
      const sized = new ByteWriter().compactSize(MESSAGE_LIMITS.blocksMax)
      for (let block = 0; block < MESSAGE_LIMITS.blocksMax; block++) sized.sizedBytes(raw)
      return repeating(attacker, rawMessage('blocks', new ByteWriter().u32(7), sized.finish()))
    },
  },
  {
    name: 'sends blocks of 85,000 transactions without work',
    covers: ['block'],
    run: attacker => {
      const raw = worklessBlock(attacker.target, LARGE_BLOCK_BYTES)
      return repeating(attacker, rawMessage('block', new ByteWriter(), raw))
    },
  },
  {
    name: 'sends blocks without work, as large as a block may be',
    covers: ['block'],
    run: attacker => {
      const raw = worklessBlock(attacker.target, attacker.target.blockBytesMax)
      return repeating(attacker, rawMessage('block', new ByteWriter(), raw))
    },
  },
  {
    name: 'has blocks without work follow words to the finality layer',
    covers: ['finality', 'finality/pre-prepare'],
    run: attacker => {
      const [message] = FINALITY_SAMPLES.get('pre-prepare')!
      const body = encodeEnvelope({ clockMs: 0, content: { type: 'protocol', message: message! } })
      const raw = worklessBlock(attacker.target, attacker.target.blockBytesMax)
      return repeating(attacker, rawMessage('finality', new ByteWriter().sizedBytes(body), raw))
    },
  },
  {
    name: 'sends transactions that nobody asked for',
    covers: ['transactions'],
    run: attacker => {
      const transactions = someUnfunded(attacker.target.chainId, MESSAGE_LIMITS.transactionsMax)
      return repeating(attacker, { type: 'transactions', requestId: 7, transactions })
    },
  },
  {
    name: 'announces 0.2 MB of unfunded transactions a second, and gives them',
    covers: ['announce', 'transactions'],
    run: attacker =>
      attacker.persist(stranger =>
        attacker.trickle(stranger, BATCHES_PER_SECOND, announcing(stranger, attacker.target)),
      ),
  },
  {
    name: 'announces unfunded transactions as fast as they are taken, and gives them',
    covers: ['announce', 'transactions'],
    run: attacker =>
      attacker.persist(stranger => attacker.flood(stranger, announcing(stranger, attacker.target))),
  },
  {
    name: 'announces transactions that are nowhere',
    covers: ['announce'],
    run: attacker =>
      attacker.persist(stranger =>
        attacker.flood(stranger, () => framed({ type: 'announce', ids: randomIds() })),
      ),
  },
]

/** Sends one message without end; one that no encoder makes is given in bytes. */
function repeating(attacker: Attacker, message: Message | Uint8Array): Promise<void> {
  const frame = framed(message)
  return attacker.persist(stranger => attacker.flood(stranger, () => frame))
}

function framed(message: Message | Uint8Array): Uint8Array {
  return frameMessage(message instanceof Uint8Array ? message : encodeMessage(message))
}

function rawMessage(type: Message['type'], head: ByteWriter, body: Uint8Array): Uint8Array {
  return Buffer.concat([Uint8Array.of(MESSAGE_TYPES.indexOf(type)), head.finish(), body])
}

/** Makes announcements of transactions none of which was there before, and has the stranger give what is asked for. */
function announcing(stranger: Stranger, { chainId }: Target): () => Uint8Array {
  const next = unfundedTransactions(chainId)
  const offered = new BoundedMap<TransactionId, Transaction>(OFFERED_MAX)
  stranger.onMessage = message => {
    if (message.type !== 'get-transactions') return
    const { requestId } = message
    const transactions = message.ids.map(id => offered.get(id)).filter(tx => tx !== undefined)
    // A stream that ends meanwhile is noticed by who announces.
    stranger.say({ type: 'transactions', requestId, transactions }).catch(() => {})
  }
  return () => {
    const batch = Array.from({ length: MESSAGE_LIMITS.transactionsMax }, next)
    for (const tx of batch) offered.set(tx.id, tx)
    return framed({ type: 'announce', ids: batch.map(({ id }) => id) })
  }
}

function randomIds(): TransactionId[] {
  return Array.from({ length: MESSAGE_LIMITS.transactionsMax }, () => toHex(randomBytes(32)))
}

function headerOf({ genesisId }: Target) {
  return {
    version: 1,
    previous: genesisId,
    merkleRoot: `0x${'11'.repeat(32)}` as const,
    time: Math.floor(Date.now() / 1_000),
    bits: 0x1d00ffff,
    nonce: 0,
  }
}

/** The bytes of a block with as many transactions as fit, which is well-formed but for its root and its work. */
function worklessBlock(target: Target, bytesMax: number): Uint8Array {
  const { raw: tx } = unfundedTransactions(target.chainId)()
  const count = Math.floor((bytesMax - 512) / tx.length)
  const coinbase = encodeCoinbase({
    chainId: target.chainId,
    height: 1,
    beneficiary: `0x${'33'.repeat(20)}`,
    stateRoot: `0x${'44'.repeat(32)}`,
    receiptsRoot: `0x${'55'.repeat(32)}`,
    gasUsed: 0n,
    gasLimit: 30_000_000n,
    baseFee: 10n ** 9n,
    transactionCount: count,
    extraNonce: new Uint8Array(8),
  })
  const head = new ByteWriter()
    .bytes(encodeHeader(headerOf(target)))
    .compactSize(1 + count)
    .bytes(coinbase)
  return Buffer.concat([head.finish(), ...Array.from({ length: count }, () => tx)])
}
