import assert from 'node:assert/strict'
import { test } from 'node:test'
import { concatBytes } from '../../src/encoding/bytes.ts'
import { encodeMessage } from '../../src/replica/message-codec.ts'
import { MESSAGE_LIMITS, type Message } from '../../src/replica/messages.ts'
import { type ScreenHost, screen } from '../../src/replica/screening.ts'
import { ChainBuilder, smallGenesis, transfer } from './small-chain.ts'

const genesis = smallGenesis()
const builder = new ChainBuilder(genesis)
const [entry, other] = builder.extend(builder.root, 2, step => ({
  transactions: step === 2 ? [transfer(1, 0), transfer(2, 0)] : [],
}))
const { block } = entry!

const HOST: ScreenHost = {
  limits: { blockBytesMax: 10_000, gasLimit: 100n * 21_000n },
  followsWork: true,
  bytesOf: id => (id === genesis.block.id ? genesis.block.raw.length : null),
  isAt: () => false,
  hasWork: () => true,
  isAsked: () => true,
  asksFor: () => true,
  askedTransactions: () => 2,
  isValidator: true,
}
const screened = (message: Message, changes: Partial<ScreenHost> = {}) =>
  screen(encodeMessage(message), { ...HOST, ...changes })
const bytesLimit = (blockBytesMax: number) => ({ ...HOST.limits, blockBytesMax })
const gasFor = (transactions: number) => ({
  ...HOST.limits,
  gasLimit: BigInt(transactions + 1) * 21_000n - 1n,
})
const body = Uint8Array.of(1, 2, 3)
const ofBlock = (id: string): number | null => (id === block.id ? block.raw.length : null)

test('what is wanted is decoded', () => {
  assert.equal(screened({ type: 'block', block }), null)
  assert.equal(screened({ type: 'blocks', requestId: 7, blocks: [block] }), null)
  assert.equal(screened({ type: 'headers', requestId: 7, headers: [block.header] }), null)
  assert.equal(screened({ type: 'finality', body, block }), null)
  assert.equal(screened({ type: 'finality', body, block: null }, { isValidator: false }), null)
  assert.equal(screened({ type: 'transactions', requestId: 7, transactions: [] }), null)
  assert.equal(screened({ type: 'announce', ids: [] }), null)
  assert.equal(screened({ type: 'get-transactions', requestId: 7, ids: [] }), null)
  assert.equal(screened({ type: 'get-blocks', requestId: 7, ids: [] }), null)
})

test('an answer that was not asked for is not decoded, whatever is in it', () => {
  const asked: string[] = []
  const isAsked = (type: string, requestId: number): boolean => {
    asked.push(`${type} ${requestId}`)
    return false
  }
  const answers: readonly Message[] = [
    { type: 'headers', requestId: 7, headers: [] },
    { type: 'blocks', requestId: 7, blocks: [] },
    { type: 'transactions', requestId: 7, transactions: [] },
  ]
  for (const message of answers) {
    const garbage = concatBytes(encodeMessage(message), new Uint8Array(1_000).fill(255))
    assert.equal(screen(garbage, { ...HOST, isAsked }), 'peer-answer-unasked')
  }
  assert.deepEqual(asked, ['headers 7', 'blocks 7', 'transactions 7'])
})

test('an unasked batch of transactions is not decoded, nor one that is larger than any answer', () => {
  const bytes = encodeMessage({ type: 'transactions', requestId: 7, transactions: [] })
  const garbage = (size: number) => concatBytes(bytes, new Uint8Array(size - bytes.length).fill(255))
  const { transactionsAnswerBytesMax } = MESSAGE_LIMITS
  assert.equal(screen(garbage(300), { ...HOST, isAsked: () => false }), 'peer-answer-unasked')
  assert.equal(screen(garbage(transactionsAnswerBytesMax), HOST), null)
  assert.equal(screen(garbage(transactionsAnswerBytesMax + 1), HOST), 'message-too-large')
})

test('an answer of more transactions than were asked for is not decoded, nor one that does not say how many', () => {
  const transactions = [0, 1, 2].map(nonce => transfer(1, nonce))
  const answer = (count: number): Message => ({
    type: 'transactions',
    requestId: 7,
    transactions: transactions.slice(0, count),
  })
  assert.equal(screened(answer(2)), null)
  assert.equal(screened(answer(3)), 'peer-answer-unasked')
  const asked: number[] = []
  const askedTransactions = (requestId: number): number => {
    asked.push(requestId)
    return 0
  }
  assert.equal(screened(answer(1), { askedTransactions }), 'peer-answer-unasked')
  assert.deepEqual(asked, [7])
  // 257 of them, and cut off before the count.
  const [kind, ...id] = encodeMessage(answer(0)).slice(0, 5)
  assert.equal(screen(Uint8Array.of(kind!, ...id, 253, 1, 1), HOST), 'message-malformed')
  assert.equal(screen(Uint8Array.of(kind!, ...id), HOST), 'message-malformed')
})

test('a block is not decoded that is here, has no work, is too large or is followed for no work', () => {
  assert.equal(screened({ type: 'block', block }, { bytesOf: ofBlock }), 'known')
  assert.equal(screened({ type: 'block', block }, { hasWork: () => false }), 'header-work-insufficient')
  assert.equal(screened({ type: 'block', block }, { followsWork: false }), 'block-uncertified')
  assert.equal(
    screened({ type: 'block', block }, { limits: bytesLimit(block.raw.length - 1) }),
    'block-too-large',
  )
  const garbage = encodeMessage({ type: 'block', block })
  garbage.fill(255, 82)
  assert.equal(screen(garbage, { ...HOST, hasWork: () => false }), 'header-work-insufficient')
})

test('a block that is here with another body is malformed, so that no peer can spread it with junk', () => {
  const message = encodeMessage({ type: 'block', block })
  const bytesOf = () => block.raw.length
  assert.equal(screen(concatBytes(message, Uint8Array.of(1)), { ...HOST, bytesOf }), 'block-malformed')
  assert.equal(screen(message.slice(0, -1), { ...HOST, bytesOf }), 'block-malformed')
})

test('a block that stands on none that is here is not decoded, whatever is in it', () => {
  const message: Message = { type: 'block', block: other!.block }
  assert.equal(screened(message), 'orphan')
  assert.equal(screened(message, { bytesOf: ofBlock }), null)
  assert.equal(screened(message, { hasWork: () => false }), 'header-work-insufficient')
  const garbage = encodeMessage(message)
  garbage.fill(255, 82)
  assert.equal(screen(garbage, HOST), 'orphan')
})

test('a block that is final here is known, by the height that it says it has', () => {
  const asked: string[] = []
  const isAt = (id: string, height: number): boolean => {
    asked.push(`${id} ${height}`)
    return true
  }
  assert.equal(screened({ type: 'block', block: other!.block }, { isAt }), 'known')
  assert.deepEqual(asked, [`${other!.block.id} 2`])
})

test('a block that a stranger attaches to words of the finality layer is not decoded, nor one that is too large', () => {
  const message: Message = { type: 'finality', body, block }
  assert.equal(screened(message, { isValidator: false }), 'block-uncertified')
  assert.equal(screened(message, { limits: bytesLimit(block.raw.length - 1) }), 'block-too-large')
})

test('what is too short to say what it is goes on to the decoder', () => {
  for (const bytes of [[], [2], [4, 1], [5, 1, 2], [6, 1], [7], [99]])
    assert.equal(screen(Uint8Array.of(...bytes), HOST), null)
})

test('of an answer no block is decoded when one of them was not asked for, is too large, or is none', () => {
  const answer: Message = { type: 'blocks', requestId: 7, blocks: [block, other!.block] }
  const asked: string[] = []
  const asksFor = (requestId: number, id: string): boolean => {
    asked.push(`${requestId} ${id}`)
    return id === block.id
  }
  assert.equal(screened(answer, { asksFor }), 'peer-answer-unasked')
  assert.deepEqual(asked, [`7 ${block.id}`, `7 ${other!.block.id}`])
  assert.equal(screened(answer, { limits: bytesLimit(other!.block.raw.length - 1) }), 'block-too-large')
  const cut = encodeMessage(answer).slice(0, -1)
  assert.equal(screen(cut, HOST), 'message-malformed')
})

test('no block is decoded that says it has more transactions than its gas allows for', () => {
  for (const message of [
    { type: 'block', block: other!.block },
    { type: 'blocks', requestId: 7, blocks: [block, other!.block] },
    { type: 'finality', body, block: other!.block },
  ] as const) {
    assert.equal(screened(message, { bytesOf: ofBlock, limits: gasFor(2) }), null)
    assert.equal(screened(message, { bytesOf: ofBlock, limits: gasFor(1) }), 'block-too-large')
  }
})
