import assert from 'node:assert/strict'
import { test } from 'node:test'
import { queryObjects } from 'node:v8'
import { type BlockId, encodeHeader } from '../../src/chain/header.ts'
import type { TreeBlock } from '../../src/replica/block-tree.ts'
import { BodyDownload } from '../../src/replica/body-download.ts'
import { DELAY_TICKS_MAX } from '../../src/replica/claims.ts'
import type { Effect, PeerId } from '../../src/replica/effects.ts'
import { MESSAGE_LIMITS, type Message, type OutgoingMessage } from '../../src/replica/messages.ts'
import { ANSWER_TICKS, SYNC_TICK_MS } from '../../src/replica/sync-requests.ts'
import {
  ChainBuilder,
  idsOf,
  mineHeader,
  START_MS,
  smallGenesis,
  tipOf,
  transfer,
  unmineHeader,
} from './small-chain.ts'
import { effectsOf, overTheWire, sentOf, TestNetwork, TestNode } from './test-node.ts'

const LATER_MS = START_MS + 10_000_000

const builder = new ChainBuilder()
const main = builder.extend(builder.root, 40, step => ({ transactions: [transfer(1, step - 1)] }))
const tip = tipOf(main)

function freshNode(genesis = builder.genesis): TestNode {
  return new TestNode(genesis, { nowMs: LATER_MS }).start()
}

/** What a peer says of itself: it follows this block, or claims that it does. */
function claims(head: TreeBlock, changes: { work?: bigint; height?: number } = {}): Message {
  const { id, height, work } = head.chained
  const { genesis } = builder
  const status = { genesisId: genesis.block.id, chainId: genesis.blocks.chainId, headId: id, height, work }
  return { type: 'status', status: { ...status, ...changes } }
}

/** How a peer answers a request; null is silence. */
type Script = (request: OutgoingMessage) => Message | null

/** Answers as an honest peer does that has these blocks, the first on a block that the asker has. */
function honest(entries: readonly TreeBlock[]): Script {
  return request => {
    if (request.type === 'get-headers') {
      const known = entries.findLastIndex(entry => request.locator.includes(entry.chained.id))
      const headers = entries.slice(known + 1).map(entry => entry.chained.header)
      return { type: 'headers', requestId: request.requestId, headers }
    }
    if (request.type !== 'get-blocks') return null
    const blocks = request.ids.flatMap(id => entries.filter(entry => entry.chained.id === id))
    return { type: 'blocks', requestId: request.requestId, blocks: blocks.map(entry => entry.block) }
  }
}

/** Carries requests to scripted peers, and their answers back, until no message is left. */
function talk(node: TestNode, effects: readonly Effect[], peers: Record<PeerId, Script>): Effect[] {
  const all: Effect[] = []
  const left = [...effects]
  for (let effect = left.shift(); effect !== undefined; effect = left.shift()) {
    all.push(effect)
    if (effect.type !== 'send') continue
    const answer = peers[effect.to]?.(effect.message) ?? null
    if (answer !== null) left.push(...node.receive(effect.to, answer))
  }
  return all
}

/** Connects peers that all claim to follow the same head, one after the other. */
function meet(node: TestNode, head: TreeBlock, peers: Record<PeerId, Script>): Effect[] {
  node.connect(...Object.keys(peers))
  return Object.keys(peers).flatMap(peer => talk(node, node.receive(peer, claims(head)), peers))
}

/** The deadlines are looked at so many times. */
function pass(node: TestNode, ticks: number, peers: Record<PeerId, Script>): Effect[] {
  return Array.from({ length: ticks }, () => talk(node, node.timeout('sync'), peers)).flat()
}

/** A peer claims something, though its claims failed before: what is done once it is no longer left alone for that. */
function claimAgain(
  node: TestNode,
  peer: PeerId,
  claim: Message,
  peers: Record<PeerId, Script> = {},
): Effect[] {
  const effects = talk(node, node.receive(peer, claim), peers)
  for (let tick = 0; tick < DELAY_TICKS_MAX && sentOf(effects, 'get-headers').length === 0; tick++)
    effects.push(...pass(node, 1, peers))
  return effects
}

function blamed(effects: readonly Effect[]): string[] {
  return effectsOf(effects, 'reject').map(({ from, reason }) => `${from} ${reason}`)
}

const SILENT: Script = () => null

// ---- the way it should go

test('headers come first, then the bodies, and the head follows', () => {
  const node = freshNode()
  const effects = meet(node, tip, { p: honest(main) })
  const kinds = effectsOf(effects, 'send').map(({ message }) => message.type)
  assert.deepEqual([...new Set(kinds)], ['get-headers', 'get-blocks'])
  assert.equal(kinds.indexOf('get-blocks'), kinds.lastIndexOf('get-headers') + 1)
  assert.equal(node.headId, tip.chained.id)
  assert.deepEqual(blamed(effects), [])
  assert.equal(node.replica.sync.progress(), null)
})

test('no peer is asked that claims no more than we have', () => {
  const node = freshNode()
  node.feed(main)
  assert.deepEqual(sentOf(meet(node, tip, { p: honest(main) }), 'get-headers'), [])
})

test('the peer that claims the most is asked for headers, and only one at a time', () => {
  const node = freshNode()
  node.connect('low', 'high')
  assert.deepEqual(
    sentOf(node.receive('low', claims(main[9]!)), 'get-headers').map(({ to }) => to),
    ['low'],
  )
  assert.deepEqual(sentOf(node.receive('high', claims(tip)), 'get-headers'), [])
  const answer = node.receive('low', { type: 'headers', requestId: 1, headers: [] })
  assert.deepEqual(
    sentOf(answer, 'get-headers').map(({ to }) => to),
    ['high'],
  )
})

test('bodies are asked for in small groups from every peer that has them', () => {
  const node = freshNode()
  node.connect('a', 'b', 'c')
  for (const peer of ['a', 'b', 'c']) node.receive(peer, claims(tip))
  const headers = main.map(entry => entry.chained.header)
  const asked = sentOf(node.receive('a', { type: 'headers', requestId: 1, headers }), 'get-blocks')
  assert.deepEqual(
    asked.map(({ to, message }) => [to, message.ids.length]),
    [
      ['a', 16],
      ['b', 16],
      ['c', 8],
    ],
  )
  assert.deepEqual(
    asked.flatMap(({ message }) => message.ids),
    idsOf(main),
  )
  assert.deepEqual(node.replica.sync.progress(), { height: 0, target: 40 })
})

test('not more than 128 bodies are asked for ahead of the next to be connected', () => {
  const long = builder.extend(tip, 160)
  const node = freshNode()
  node.feed(main)
  const peers = Array.from({ length: 12 }, (_, index) => `p${index}`)
  node.connect(...peers)
  for (const peer of peers) node.receive(peer, claims(tipOf(long)))
  const headers = long.map(entry => entry.chained.header)
  const asked = sentOf(node.receive('p0', { type: 'headers', requestId: 1, headers }), 'get-blocks')
  assert.equal(asked.flatMap(({ message }) => message.ids).length, 128)
  // The second group arrives before the first: it waits, and no more is asked for.
  const second = asked[1]!
  const answer = honest(long)(second.message)!
  assert.deepEqual(sentOf(node.receive(second.to, answer), 'get-blocks'), [])
  assert.equal(node.headId, tip.chained.id)
  const first = asked[0]!
  assert.equal(sentOf(node.receive(first.to, honest(long)(first.message)!), 'get-blocks').length, 2)
  assert.equal(node.height, 72)
})

test('the locator has our last ten blocks, then ever fewer, with the base and the genesis block', () => {
  const node = freshNode()
  node.feed(main)
  node.connect('p')
  const better = tipOf(builder.extend(tip, 1))
  const [request] = sentOf(node.receive('p', claims(better)), 'get-headers')
  const heights = request!.message.locator.map(id => node.replica.view.mainHeight(id))
  assert.deepEqual(heights, [40, 39, 38, 37, 36, 35, 34, 33, 32, 31, 29, 25, 17, 16, 0])
  assert.equal(node.replica.tree.base.chained.height, 16)
})

test('headers that are known already are passed over', () => {
  const node = freshNode()
  node.feed(main.slice(0, 20))
  node.connect('p')
  node.receive('p', claims(tip))
  const headers = main.slice(10).map(entry => entry.chained.header)
  const asked = sentOf(node.receive('p', { type: 'headers', requestId: 1, headers }), 'get-blocks')
  assert.equal(asked[0]!.message.ids[0], main[20]!.chained.id)
})

test('a block that arrives by itself during the download is not asked for again', () => {
  const node = freshNode()
  node.connect('p')
  node.receive('p', claims(main[19]!))
  const headers = main.slice(0, 20).map(entry => entry.chained.header)
  node.receive('p', { type: 'headers', requestId: 1, headers })
  node.feed(main.slice(0, 18))
  const blocks = main.slice(0, 16).map(entry => entry.block)
  const asked = sentOf(node.receive('p', { type: 'blocks', requestId: 2, blocks }), 'get-blocks')
  assert.deepEqual(asked[0]!.message.ids, idsOf(main.slice(18, 20)))
})

test('a download whose bodies all came by themselves ends, though no answer comes any more', () => {
  const node = freshNode()
  const peers: Record<PeerId, Script> = {
    p: request => (request.type === 'get-headers' ? honest(main)(request) : null),
  }
  meet(node, tip, peers)
  node.feed(main)
  assert.notEqual(node.replica.sync.progress(), null)
  pass(node, ANSWER_TICKS + 1, peers)
  assert.equal(node.replica.sync.progress(), null)
  const more = [...main, builder.mine(tip)]
  talk(node, node.receive('p', claims(tipOf(more))), { p: honest(more) })
  assert.equal(node.headId, tipOf(more).chained.id)
})

test('a block whose parent is unknown makes us ask its sender', () => {
  const node = freshNode()
  const peers = { p: honest(main) }
  node.connect('p')
  talk(node, node.receive('p', { type: 'block', block: tip.block }), peers)
  assert.equal(node.headId, tip.chained.id)
})

test('a block whose parent is unknown and that holds no work is its sender’s fault', () => {
  const node = freshNode()
  const { header, id } = tip.chained
  node.connect('p')
  const free = { ...tip.block, header: unmineHeader(header), id }
  const raw = tip.block.raw.slice()
  new DataView(raw.buffer).setUint32(76, free.header.nonce, true)
  const effects = node.receive('p', { type: 'block', block: { ...free, raw } })
  assert.deepEqual(blamed(effects), ['p header-work-insufficient'])
  assert.deepEqual(sentOf(effects, 'get-headers'), [])
})

test('a block whose parent is unknown and whose target is easier than any holds no work', () => {
  const node = freshNode()
  const header = mineHeader({ ...tip.chained.header, bits: 0x2100ffff })
  const raw = tip.block.raw.slice()
  raw.set(encodeHeader(header))
  node.connect('p')
  const effects = node.receive('p', { type: 'block', block: { ...tip.block, raw } })
  assert.deepEqual(blamed(effects), ['p header-work-insufficient'])
})

// ---- liars

test('a peer that claims work without having it is asked once, then not again for a while, and is not blamed', () => {
  const node = freshNode()
  const liar = meet(node, main[0]!, {})
  node.connect('liar', 'honest')
  const peers = { liar: honest([]), honest: honest(main) }
  const lie = claims(tip, { work: 2n ** 256n - 1n, height: 2 ** 48 })
  const effects = [...liar, ...talk(node, node.receive('liar', lie), peers)]
  assert.equal(sentOf(effects, 'get-headers').length, 1)
  assert.deepEqual(blamed(effects), [])
  assert.equal(node.replica.sync.progress(), null)
  talk(node, node.receive('honest', claims(tip)), peers)
  assert.equal(node.headId, tip.chained.id)
})

test('a claim alone changes nothing but what is asked', () => {
  const node = freshNode()
  node.connect('p')
  node.receive('p', claims(tip, { work: 2n ** 255n, height: 10 ** 9 }))
  assert.equal(node.height, 0)
  assert.equal(node.replica.sync.progress(), null)
})

const spoiltHeader = (index: number, spoil: (entry: TreeBlock) => TreeBlock['chained']['header']) =>
  main.map((entry, at) => (at === index ? spoil(entry) : entry.chained.header))

const BAD_HEADERS: readonly { name: string; headers: TreeBlock['chained']['header'][]; reason: string }[] = [
  {
    name: 'do not link in the middle',
    headers: [...main.slice(0, 5), ...main.slice(6)].map(entry => entry.chained.header),
    reason: 'peer-headers-unlinked',
  },
  {
    name: 'begin after a block that was not asked for',
    headers: main.slice(3).map(entry => entry.chained.header),
    reason: 'peer-headers-unlinked',
  },
  {
    name: 'hold no work',
    headers: spoiltHeader(39, entry => unmineHeader(entry.chained.header)),
    reason: 'header-work-insufficient',
  },
  {
    name: 'ask for less work than is due',
    headers: spoiltHeader(39, entry => mineHeader({ ...entry.chained.header, bits: 0x207fffff })),
    reason: 'header-bits-wrong',
  },
  {
    name: 'go back in time',
    headers: spoiltHeader(39, entry => mineHeader({ ...entry.chained.header, time: 1 })),
    reason: 'header-time-too-old',
  },
]

for (const { name, headers, reason } of BAD_HEADERS) {
  test(`headers that ${name} are their sender's fault, and no body is asked for`, () => {
    const node = freshNode()
    node.connect('p')
    node.receive('p', claims(tip))
    const effects = node.receive('p', { type: 'headers', requestId: 1, headers })
    assert.deepEqual(blamed(effects), [`p ${reason}`])
    assert.deepEqual(sentOf(effects, 'get-blocks'), [])
    assert.deepEqual(sentOf(effects, 'get-headers'), [])
    assert.equal(node.replica.sync.progress(), null)
  })
}

test('headers from the future are no peer’s fault: what stands before them is fetched', () => {
  const node = freshNode()
  const far = builder.mine(tip, { time: LATER_MS / 1000 + 16 })
  const effects = meet(node, far, { p: honest([...main, far, builder.mine(far)]) })
  assert.deepEqual(blamed(effects), [])
  assert.equal(node.headId, tip.chained.id)
})

test('a branch with less work than ours is not fetched, however many headers it has', () => {
  // Blocks far apart in time become easy: twelve of them hold less work than eight that are not.
  const easy = builder.extend(builder.root, 12, step => ({ time: START_MS / 1000 + 400 * step, extra: 1 }))
  const node = freshNode()
  node.feed(main.slice(0, 8))
  assert.ok(tipOf(easy).chained.work < main[7]!.chained.work)
  node.connect('p')
  node.receive('p', claims(tip))
  const headers = easy.map(entry => entry.chained.header)
  const effects = node.receive('p', { type: 'headers', requestId: 1, headers })
  assert.deepEqual(sentOf(effects, 'get-blocks'), [])
  assert.deepEqual(blamed(effects), [])
  assert.deepEqual(sentOf(claimAgain(node, 'p', claims(tip)), 'get-headers').length, 1)
})

test('headers without end: one answer is one request, and nothing of what does not win is kept', () => {
  const node = freshNode()
  node.feed(main)
  node.connect('p')
  const easy = builder.extend(builder.root, 30, step => ({ time: START_MS / 1000 + 400 * step, extra: 2 }))
  const headers = easy.map(entry => entry.chained.header)
  for (let round = 1; round <= 50; round++) {
    const [request] = sentOf(claimAgain(node, 'p', claims(tip, { work: 2n ** 200n })), 'get-headers')
    const { requestId } = request!.message
    assert.deepEqual(sentOf(node.receive('p', { type: 'headers', requestId, headers }), 'get-headers'), [])
    // More that was not asked for.
    assert.deepEqual(node.receive('p', { type: 'headers', requestId: requestId + 1, headers }), [])
  }
  assert.equal(node.replica.sync.progress(), null)
  assert.equal(node.replica.tree.size, 25)
})

// ---- branches that leave ours below the base

const DEEP_FORKS: readonly { readonly name: string; readonly branch: readonly TreeBlock[] }[] = [
  {
    name: 'after the genesis block',
    branch: builder.extend(builder.root, 50, step => ({ extra: 4, time: START_MS / 1000 + step })),
  },
  {
    name: 'after block 5',
    branch: [
      ...main.slice(0, 5),
      ...builder.extend(main[4]!, 45, step => ({ extra: 3, time: START_MS / 1000 + 8 + step })),
    ],
  },
]

for (const { name, branch } of DEEP_FORKS) {
  test(`a heavier branch that leaves ours ${name}, below the base, raises one alarm and is not followed`, () => {
    const node = freshNode()
    node.feed(main)
    assert.ok(tipOf(branch).chained.work > tip.chained.work)
    node.connect('p')
    const rounds = [1, 2, 3].map(() => {
      const [request] = sentOf(claimAgain(node, 'p', claims(tipOf(branch))), 'get-headers')
      return node.receive('p', honest([builder.root, ...branch])(request!.message)!)
    })
    assert.deepEqual(
      rounds.map(effects => effectsOf(effects, 'alarm').length),
      [1, 0, 0],
    )
    const [{ text } = { text: '' }] = effectsOf(rounds[0]!, 'alarm')
    const fork = branch.find(entry => !main.includes(entry))!.chained.header.previous
    assert.match(text, new RegExp(`leaves ours below the last final block, after ${fork}`))
    for (const effects of rounds) assert.deepEqual(blamed(effects), ['p block-below-final'])
    assert.equal(node.headId, tip.chained.id)
  })
}

test('that alarm can’t be raised for free', () => {
  const node = freshNode()
  node.feed(main)
  node.connect('p')
  node.receive('p', claims(tip, { work: 2n ** 200n }))
  const headers = [unmineHeader({ ...main[0]!.chained.header, version: 9 })]
  const effects = node.receive('p', { type: 'headers', requestId: 1, headers })
  assert.deepEqual(effectsOf(effects, 'alarm'), [])
  assert.deepEqual(blamed(effects), ['p header-work-insufficient'])
})

test('headers that begin with ours and go on with others must link', () => {
  const node = freshNode()
  node.feed(main)
  node.connect('p')
  node.receive('p', claims(tip, { work: 2n ** 200n }))
  const foreign = builder.mine(builder.mine(main[3]!, { extra: 7 })).chained.header
  const headers = [main[0]!.chained.header, foreign]
  const effects = node.receive('p', { type: 'headers', requestId: 1, headers })
  assert.deepEqual(blamed(effects), ['p peer-headers-unlinked'])
  assert.deepEqual(effectsOf(effects, 'alarm'), [])
})

test('headers of our own chain that became final since we asked are passed over, and raise no alarm', () => {
  const genesis = smallGenesis({ finality: { depth: 2 } })
  const own = new ChainBuilder(genesis)
  const run = own.extend(own.root, 9)
  const node = freshNode(genesis)
  node.feed(run.slice(0, 3))
  node.connect('p')
  const { id, height, work } = tipOf(run).chained
  const status = { genesisId: genesis.block.id, chainId: genesis.blocks.chainId, headId: id, height, work }
  const [request] = sentOf(node.receive('p', { type: 'status', status }), 'get-headers')
  node.feed(run.slice(3, 8))
  const effects = talk(node, node.receive('p', honest(run)(request!.message)!), { p: honest(run) })
  assert.deepEqual(effectsOf(effects, 'alarm'), [])
  assert.deepEqual(blamed(effects), [])
  assert.equal(node.headId, tipOf(run).chained.id)
})

test('headers on a branch that we gave up since we asked are no peer’s fault', () => {
  //     0 ── a1 ── a2 ── a3        depth 1: with b3 the base is b2, and all of a is forgotten
  //      └── b1 ── b2 ── b3
  const genesis = smallGenesis({ finality: { depth: 1 } })
  const own = new ChainBuilder(genesis)
  const a = own.extend(own.root, 3, () => ({ extra: 1 }))
  const b = own.extend(own.root, 3, () => ({ extra: 2 }))
  const node = freshNode(genesis)
  node.feed(a.slice(0, 1))
  node.connect('p')
  const { id, height, work } = tipOf(a).chained
  const status = { genesisId: genesis.block.id, chainId: genesis.blocks.chainId, headId: id, height, work }
  const [request] = sentOf(node.receive('p', { type: 'status', status }), 'get-headers')
  node.feed(b)
  assert.equal(node.replica.tree.has(a[0]!.chained.id), false)
  const effects = node.receive('p', honest(a)(request!.message)!)
  assert.deepEqual(blamed(effects), ['p block-below-final'])
  assert.deepEqual(effectsOf(effects, 'alarm'), [])
})

test('a peer that says what it follows again and again, while bodies are fetched, costs no read of the database', () => {
  const node = freshNode()
  node.connect('p', 'q')
  node.receive('p', claims(tip))
  node.receive('p', { type: 'headers', requestId: 1, headers: main.map(entry => entry.chained.header) })
  assert.ok(node.replica.sync.progress() !== null)
  const reads: string[] = []
  const get = node.disk.get.bind(node.disk)
  node.disk.get = key => {
    reads.push(key)
    return get(key)
  }
  for (let round = 0; round < 100; round++)
    for (const work of [tip.chained.work, 0n, tip.chained.work + BigInt(round)])
      node.receive('q', claims(tip, { work }))
  assert.deepEqual(reads, [])
})

// ---- silence

test('as soon as a peer is late with its headers another is asked as well', () => {
  const node = freshNode()
  const peers = { silent: SILENT, honest: honest(main) }
  assert.deepEqual(
    sentOf(meet(node, tip, peers), 'get-headers').map(({ to }) => to),
    ['silent'],
  )
  const effects = pass(node, 1, peers)
  assert.deepEqual(
    sentOf(effects, 'get-headers').map(({ to }) => to),
    ['honest'],
  )
  pass(node, 2, peers)
  assert.equal(node.headId, tip.chained.id)
})

test('three peers are asked for headers at a time at most', () => {
  const node = freshNode()
  const peers = Object.fromEntries(Array.from({ length: 9 }, (_, index) => [`p${index}`, SILENT]))
  const effects = [...meet(node, tip, peers), ...pass(node, ANSWER_TICKS - 1, peers)]
  assert.deepEqual(
    sentOf(effects, 'get-headers').map(({ to }) => to),
    ['p0', 'p1', 'p2'],
  )
})

test('a peer that does not give its bodies in time is left for another', () => {
  const node = freshNode()
  const headersOnly: Script = request => (request.type === 'get-headers' ? honest(main)(request) : null)
  const peers = { silent: headersOnly, honest: honest(main) }
  node.connect('silent', 'honest')
  talk(node, node.receive('silent', claims(tip)), peers)
  talk(node, node.receive('honest', claims(tip)), peers)
  assert.equal(node.height, 0)
  pass(node, ANSWER_TICKS + 1, peers)
  assert.equal(node.headId, tip.chained.id)
})

test('a peer that leaves three requests unanswered is disconnected', () => {
  const node = freshNode()
  const peers = { silent: SILENT }
  node.connect('silent')
  const disconnects = [1, 2, 3].map(() => {
    claimAgain(node, 'silent', claims(tip), peers)
    return effectsOf(pass(node, ANSWER_TICKS, peers), 'disconnect').map(({ reason }) => reason)
  })
  assert.deepEqual(disconnects, [[], [], ['peer-stalled']])
})

test('a clock that is set back an hour gives no peer an hour more', () => {
  const node = freshNode()
  const peers = { silent: SILENT, honest: honest(main) }
  meet(node, tip, peers)
  node.nowMs -= 3_600_000
  pass(node, ANSWER_TICKS, peers)
  assert.equal(node.headId, tip.chained.id)
})

test('words of other peers do not put a deadline off', () => {
  const node = freshNode()
  const peers: Record<PeerId, Script> = { silent: SILENT, honest: honest(main) }
  let dueMs: number | null = null
  const perform = (effects: readonly Effect[]): void => {
    for (const effect of effects) {
      if (effect.type === 'set-timer' && effect.name === 'sync') dueMs = node.nowMs + effect.delayMs
      if (effect.type === 'clear-timer' && effect.name === 'sync') dueMs = null
    }
  }
  perform(meet(node, tip, peers))
  for (let elapsed = 0; elapsed < (ANSWER_TICKS + 2) * SYNC_TICK_MS; elapsed += 100) {
    node.nowMs += 100
    perform(talk(node, node.receive('honest', claims(tip)), peers))
    if (dueMs === null || dueMs > node.nowMs) continue
    dueMs = null
    perform(talk(node, node.timeout('sync'), peers))
  }
  assert.equal(node.headId, tip.chained.id)
})

test('while nothing is asked no timer is set, and while something is one is', () => {
  const node = freshNode()
  node.connect('p')
  const timers = (effects: readonly Effect[]): string[] =>
    effects.flatMap(effect =>
      (effect.type === 'set-timer' || effect.type === 'clear-timer') && effect.name === 'sync'
        ? [effect.type]
        : [],
    )
  assert.deepEqual(timers(node.receive('p', claims(builder.root))), [])
  assert.deepEqual(timers(node.receive('p', claims(tip))), ['set-timer'])
  assert.deepEqual(timers(node.receive('p', claims(tip))), [])
  const empty = { type: 'headers', requestId: 1, headers: [] } as const
  assert.deepEqual(timers(node.receive('p', empty)), [], 'it is left alone for some ticks')
  assert.deepEqual(timers(node.timeout('sync')), ['set-timer'])
  assert.deepEqual(timers(node.timeout('sync')), [], 'and then for none')
})

// ---- bodies

test('an invalid body is the fault of the peer that gave it and of those that follow it, not of those that gave the bodies before it', () => {
  const spoilt = builder.mine(main[31]!, { spoil: coinbase => ({ ...coinbase, gasUsed: 5n }) })
  const bad = [...main.slice(0, 32), spoilt]
  const node = freshNode()
  const peers = ['leader', 'honest', 'accomplice']
  node.connect(...peers)
  node.receive('leader', claims(tipOf(bad)))
  for (const peer of ['honest', 'accomplice']) node.receive(peer, claims(tip))
  const headers = bad.map(entry => entry.chained.header)
  const asked = sentOf(node.receive('leader', { type: 'headers', requestId: 1, headers }), 'get-blocks')
  assert.deepEqual(
    asked.map(({ to, message }) => [to, message.ids.length]),
    [
      ['leader', 16],
      ['honest', 16],
      ['accomplice', 1],
    ],
  )
  // The invalid one is here first, and waits for those before it. The honest peer's complete the chain.
  const [leader, honestPeer, accomplice] = asked
  const answers = [accomplice!, leader!, honestPeer!].map(({ to, message }) =>
    node.receive(to, honest(bad)(message)!),
  )
  assert.deepEqual(answers.flatMap(blamed), [
    'leader block-gas-used-wrong',
    'accomplice block-gas-used-wrong',
  ])
  assert.equal(node.headId, main[31]!.chained.id)
})

test('the chain up to an invalid block is kept, what follows it is not, and its id is remembered', () => {
  const spoilt = builder.mine(main[15]!, { spoil: coinbase => ({ ...coinbase, gasUsed: 5n }) })
  const bad = [...main.slice(0, 16), spoilt, ...builder.extend(spoilt, 3)]
  const node = freshNode()
  const effects = meet(node, tipOf(bad), { evil: honest(bad) })
  assert.equal(node.headId, main[15]!.chained.id)
  assert.deepEqual(blamed(effects), ['evil block-gas-used-wrong'])
  const again = claimAgain(node, 'evil', claims(tipOf(bad)), { evil: honest(bad) })
  assert.deepEqual(blamed(again), ['evil block-known-invalid'])
  assert.deepEqual(sentOf(again, 'get-blocks'), [])
})

test('a block that is withheld by all is given up, and another chain is followed', () => {
  const hidden = builder.extend(main[19]!, 25, step => ({ extra: 5, time: START_MS / 1000 + 38 + step }))
  const withheld = [...main.slice(0, 20), ...hidden]
  assert.ok(tipOf(hidden).chained.work > tip.chained.work)
  const hides: Script = request => {
    const answer = honest(withheld)(request)
    if (answer?.type !== 'blocks') return answer
    const hiddenId = hidden[3]!.chained.id
    return { ...answer, blocks: answer.blocks.filter(block => block.id !== hiddenId) }
  }
  const node = freshNode()
  const peers = { liar: hides, honest: honest(main) }
  node.connect('liar', 'honest')
  talk(node, node.receive('liar', claims(tipOf(hidden))), peers)
  assert.equal(node.headId, hidden[2]!.chained.id)
  talk(node, node.receive('honest', claims(tip)), peers)
  for (let second = 0; second < 20; second++) pass(node, 1_000, peers)
  assert.equal(node.headId, tip.chained.id)
})

test('an answer without the blocks asked for sends us to another peer', () => {
  const node = freshNode()
  const empty: Script = request => {
    const answer = honest(main)(request)
    return answer?.type === 'blocks' ? { ...answer, blocks: [] } : answer
  }
  const peers = { empty, honest: honest(main) }
  node.connect('empty', 'honest')
  talk(node, node.receive('empty', claims(tip)), peers)
  talk(node, node.receive('honest', claims(tip)), peers)
  assert.equal(node.headId, tip.chained.id)
})

test('a peer that drips one block at a time does not hold up the others', () => {
  const node = freshNode()
  let drips = 0
  const drip: Script = request => {
    const answer = honest(main)(request)
    if (answer?.type !== 'blocks') return answer
    drips += 1
    return { ...answer, blocks: answer.blocks.slice(0, 1) }
  }
  const peers = { drip, honest: honest(main) }
  node.connect('drip', 'honest')
  talk(node, node.receive('drip', claims(tip)), peers)
  talk(node, node.receive('honest', claims(tip)), peers)
  assert.equal(node.headId, tip.chained.id)
  assert.ok(drips <= 2, `${drips} answers of one block`)
})

test('a peer whose answers end early because they are large is asked for the rest', () => {
  const genesis = smallGenesis({ blocks: { bytesMax: 8 * 1024 * 1024 } })
  const rich = new ChainBuilder(genesis)
  const big = (nonce: number) => transfer(1, nonce, { data: new Uint8Array(120_000), gasLimit: 501_000n })
  const large = rich.extend(rich.root, 4, step => ({
    transactions: Array.from({ length: 14 }, (_, index) => big((step - 1) * 14 + index)),
  }))
  const [server, node] = [freshNode(genesis), freshNode(genesis)]
  server.feed(large)
  const [hello] = sentOf(server.connect('node'), 'status')
  node.connect('p')
  const answers: number[] = []
  const peers: Record<PeerId, Script> = {
    p: request => {
      const [answer] = effectsOf(server.receive('node', request as Message), 'send')
      if (answer?.message.type === 'blocks') answers.push(answer.message.blocks.length)
      return overTheWire(answer!.message)
    },
  }
  talk(node, node.receive('p', hello!.message), peers)
  assert.equal(node.headId, tipOf(large).chained.id)
  assert.deepEqual(answers, [2, 2])
})

test('blocks that were not asked for, or that come twice, change nothing', () => {
  const node = freshNode()
  node.connect('p', 'q')
  node.receive('p', claims(tip))
  node.receive('p', { type: 'headers', requestId: 1, headers: main.map(entry => entry.chained.header) })
  const blocks = main.slice(0, 16).map(entry => entry.block)
  for (const [from, requestId] of [
    ['p', 1],
    ['p', 3],
    ['q', 2],
    ['stranger', 2],
  ] as const) {
    assert.deepEqual(node.receive(from, { type: 'blocks', requestId, blocks }), [])
  }
  assert.equal(node.height, 0)
  node.receive('p', { type: 'blocks', requestId: 2, blocks })
  assert.equal(node.height, 16)
  assert.deepEqual(node.receive('p', { type: 'blocks', requestId: 2, blocks }), [])
  // The next request times out. Its answer comes all the same, and is taken once.
  const late = main.slice(16, 32).map(entry => entry.block)
  pass(node, ANSWER_TICKS + 1, {})
  node.receive('p', { type: 'blocks', requestId: 3, blocks: late })
  assert.equal(node.height, 32)
  assert.deepEqual(node.receive('p', { type: 'blocks', requestId: 3, blocks: late }), [])
})

test('other blocks than those asked for are not kept', () => {
  const node = freshNode()
  node.connect('p')
  node.receive('p', claims(tip))
  node.receive('p', { type: 'headers', requestId: 1, headers: main.map(entry => entry.chained.header) })
  const others = main.slice(16, 32).map(entry => entry.block)
  node.receive('p', { type: 'blocks', requestId: 2, blocks: others })
  assert.equal(node.height, 0)
  assert.equal(node.replica.tree.size, 1)
})

test('headers that were not asked for, that come twice or from another peer, change nothing', () => {
  const node = freshNode()
  node.connect('p', 'q')
  node.receive('p', claims(tip))
  const headers = main.map(entry => entry.chained.header)
  for (const [from, requestId] of [
    ['p', 0],
    ['p', 2],
    ['q', 1],
  ] as const)
    assert.deepEqual(node.receive(from, { type: 'headers', requestId, headers }), [])
  node.receive('p', { type: 'headers', requestId: 1, headers })
  assert.deepEqual(node.receive('p', { type: 'headers', requestId: 1, headers }), [])
})

// ---- peers that go

test('an answer to a request before a restart changes nothing, and no peer is blamed', () => {
  const before = freshNode()
  before.connect('p')
  const node = before.restarted()
  node.connect('p')
  const [old] = sentOf(before.receive('p', claims(tip)), 'get-headers')
  const [own] = sentOf(node.receive('p', claims(tip)), 'get-headers')
  // They do not begin with anything that the later request named.
  const headers = main.slice(1).map(entry => entry.chained.header)
  assert.deepEqual(node.receive('p', { type: 'headers', requestId: old!.message.requestId, headers }), [])
  assert.notEqual(own!.message.requestId, old!.message.requestId)
})

test('when a peer goes that was asked for headers, the next one is asked', () => {
  const node = freshNode()
  const peers = { goes: SILENT, honest: honest(main) }
  meet(node, tip, peers)
  talk(node, node.step({ type: 'peer-disconnected', peer: 'goes' }), peers)
  assert.equal(node.headId, tip.chained.id)
})

test('when a peer goes that was asked for bodies, the others are asked', () => {
  const node = freshNode()
  const goes: Script = request => (request.type === 'get-headers' ? honest(main)(request) : null)
  const peers = { goes, honest: honest(main) }
  node.connect('goes', 'honest')
  talk(node, node.receive('goes', claims(tip)), peers)
  talk(node, node.receive('honest', claims(tip)), peers)
  talk(node, node.step({ type: 'peer-disconnected', peer: 'goes' }), peers)
  assert.equal(node.headId, tip.chained.id)
})

test('when the only peer goes the download ends, and another can begin it again', () => {
  const node = freshNode()
  const goes: Script = request => (request.type === 'get-headers' ? honest(main)(request) : null)
  meet(node, tip, { goes })
  assert.notEqual(node.replica.sync.progress(), null)
  const effects = node.step({ type: 'peer-disconnected', peer: 'goes' })
  assert.equal(node.replica.sync.progress(), null)
  assert.equal(effectsOf(effects, 'clear-timer').length, 1)
  meet(node, tip, { next: honest(main) })
  assert.equal(node.headId, tip.chained.id)
})

test('a claim of a peer that is not connected is not believed', () => {
  const node = freshNode()
  assert.deepEqual(node.receive('nobody', claims(tip)), [])
})

// ---- all of it at once

test('a late joiner catches up 2,000 blocks from two peers, one of which goes silent half way', () => {
  const long = new ChainBuilder()
  const blocks = long.extend(long.root, 2_050)
  const network = new TestNetwork(long.genesis, tipOf(blocks).chained.header.time * 1000)
  const [a, b] = network.add('a', 'b')
  for (const node of [a!, b!]) node.feed(blocks)
  const [joiner] = network.add('joiner')
  let silencedAt: number | null = null
  network.carries = (from, to, message) => {
    if (from === 'a' && message.type === 'blocks' && joiner!.height >= 1_000) silencedAt ??= joiner!.height
    return silencedAt === null || (from !== 'a' && to !== 'a')
  }
  network.connect('a', 'joiner')
  network.connect('b', 'joiner')
  network.run(60_000)
  assert.ok(silencedAt !== null && silencedAt < 1_500)
  assert.equal(joiner!.headId, tipOf(blocks).chained.id)
  assert.equal(joiner!.replica.tree.base.chained.height, 2_050 - 24)
  const { state } = joiner!.replica.tree.head.execution
  assert.equal(state.root(), tipOf(blocks).execution.state.root())
  const asked = (peer: PeerId): BlockId[] =>
    sentOf(network.done('joiner', 'send'), 'get-blocks')
      .filter(({ to }) => to === peer)
      .flatMap(({ message }) => message.ids)
  assert.ok(asked('a').length > 100 && asked('b').length > 100)
  // Nearly nothing is asked for twice.
  assert.ok(asked('a').length + asked('b').length <= 2_050 + 2 * MESSAGE_LIMITS.blocksMax)
  assert.equal(effectsOf(network.done('joiner', 'reject'), 'reject').length, 0)
})

test('a download that is over is kept by no peer that gave its headers', () => {
  const downloads = () => queryObjects(BodyDownload, { format: 'count' })
  const before = downloads()
  const node = freshNode()
  const long = builder.extend(tip, 4)
  const peers = { p: honest(main), q: honest(main.slice(0, 20)), r: honest([...main, ...long]) }
  // Each is the source of a download in turn, since it has more work than the one before.
  for (const [peer, last] of [
    ['q', main[19]],
    ['p', tip],
    ['r', tipOf(long)],
  ] as const) {
    talk(node, node.connect(peer), peers)
    talk(node, node.receive(peer, claims(last!)), peers)
    assert.equal(node.headId, last!.chained.id)
  }
  assert.equal(downloads(), before)
  assert.equal(node.connected.size, 3)
})
