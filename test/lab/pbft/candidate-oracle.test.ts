import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encodePbftRecord } from '../../../src/consensus/pbft/record-wire.ts'
import { VOTE_RECORDS } from '../../../src/lab/cluster/finality-keys.ts'
import type { SimNode } from '../../../src/lab/cluster/sim-node.ts'
import { CandidateOracle } from '../../../src/lab/pbft/candidate-oracle.ts'
import type { Effect } from '../../../src/replica/effects.ts'
import { branch, type FakeBlock, FakeChain } from '../../finality/committees.ts'
import { encodeEnvelope } from '../../finality/pbft-envelope.ts'
import { assertPass, runCommittee } from '../swarm/committees.ts'

/** The first of four members, with the oracle that watches it: depth 2, interval 3. */
function watched() {
  const chain = new FakeChain()
  const all = chain.extend('a', 10)
  const finality = { depth: 2, interval: 3 }
  const of = (id: string): FakeBlock => chain.get(id as FakeBlock['id'])!
  const below = (block: FakeBlock, height: number): FakeBlock =>
    block.height <= height ? block : below(of(block.header.previous), height)
  const naive = {
    heightOf: (id: string) => of(id).height,
    workOf: (id: string) => of(id).work,
    parentOf: (id: string) => of(id).header.previous,
    isAbove: (id: string, other: string) => below(of(id), of(other).height).id === other,
  }
  const roster = { validators: 4, memberOf: () => 0 }
  const decided = { sequence: 0 }
  const node = {
    id: 'n1',
    replica: {
      tree: {
        get head() {
          return { chained: chain.head }
        },
        get base() {
          return { chained: chain.final }
        },
        blocks: () => chain.blocks().map(chained => ({ chained })),
      },
      finality: { report: () => decided },
    },
  } as unknown as SimNode
  const oracle = new CandidateOracle({ finality } as never, naive as never, roster as never)
  oracle.afterStart(node)
  return { chain, all, oracle, node, decided }
}

/** What a step says that votes for a block. */
function vote({ id: value }: FakeBlock, sequence = 1, view = 0): Effect {
  const record = {
    type: 'slot',
    sequence,
    view,
    value,
    proposal: new Uint8Array(65),
    prepared: null,
  } as const
  const key = `${VOTE_RECORDS}slot/${sequence.toString().padStart(15, '0')}`
  return { type: 'persist', writes: [{ key, value: encodePbftRecord(record) }] }
}

/** The proposal of a block by the member itself. */
function proposal({ id: value }: FakeBlock, sequence: number, view: number): Effect {
  const signature = new Uint8Array(65)
  const message = { type: 'pre-prepare', sequence, view, value, from: 0, signature } as const
  const body = encodeEnvelope({ clockMs: 0, content: { type: 'protocol', message } })
  return { type: 'broadcast', message: { type: 'finality', body, block: null } }
}

const H1 = (message: RegExp) => ({ name: 'Violation', rule: 'H1', message })

test('a vote for a block that is buried on our chain, or on one with as much work, is right', () => {
  const { chain, all, oracle, node } = watched()
  oracle.afterStep(node, [vote(all[7]!)])
  const side = branch(chain, chain.root, 'b', 10)
  oracle.afterStep(node, [vote(side[2]!, 2)])
})

test('a vote for a block that is too low, not buried, too light or beside the last final one is found', () => {
  const { chain, all, oracle, node } = watched()
  const light = branch(chain, chain.root, 'c', 7)
  assert.throws(() => oracle.afterStep(node, [vote(all[1]!)]), H1(/too close above/))
  assert.throws(() => oracle.afterStep(node, [vote(all[8]!)]), H1(/has not 2 blocks above it/))
  assert.throws(() => oracle.afterStep(node, [vote(light[4]!)]), H1(/less work than 9/))
  chain.final = all[0]!
  oracle.afterStep(node, [])
  assert.throws(() => oracle.afterStep(node, [vote(light[3]!)]), H1(/beside the last final block/))
})

test('a node that grew in the step in which it voted is held to the head that it had', () => {
  const { chain, oracle, node } = watched()
  const side = branch(chain, chain.root, 'b', 8)
  oracle.afterStep(node, [vote(side[2]!)])
  const [next] = chain.extend('a', 1)
  const head: Effect = { type: 'head', id: next!.id, height: next!.height, reorganised: 0 }
  oracle.afterStep(node, [vote(side[3]!), head])
  assert.throws(() => oracle.afterStep(node, [vote(side[4]!), head]), H1(/less work than 10/))
})

test('a vote for what a new view proposes again, for what is decided, for its own proposal or said again is excused', () => {
  const { chain, all, oracle, node, decided } = watched()
  const [lone] = branch(chain, chain.root, 'u', 1)
  oracle.noteNewView({ view: 1, proposals: [{ sequence: 1, value: lone!.id }] } as never)
  oracle.afterStep(node, [vote(lone!, 1, 1)])
  assert.throws(() => oracle.afterStep(node, [vote(lone!, 1, 2)]), H1(/too close above/), 'another view')
  oracle.afterStep(node, [vote(lone!, 1, 2)])
  oracle.afterStep(node, [vote(lone!, 4, 0), proposal(lone!, 4, 0)])
  decided.sequence = 2
  oracle.afterStep(node, [vote(all[8]!, 2)])
})

test('five runs whose liars undercut pass, and each of them finalises something', () => {
  for (let seed = 1; seed <= 5; seed++) {
    const result = runCommittee('hybrid', seed, {
      validators: 4,
      adversary: { role: 'undercut', count: null },
    })
    assertPass(result)
    assert.ok(result.finalHeight > 0 && Object.values(result.agreement.liars).includes('undercut'))
  }
})
