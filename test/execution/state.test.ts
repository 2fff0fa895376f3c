import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Address } from '../../src/chain/address.ts'
import { fromHex, type Hex, toHex } from '../../src/encoding/bytes.ts'
import {
  type Account,
  type AccountProof,
  decodeAccount,
  encodeAccount,
  NO_ACCOUNT,
  State,
  verifyAccountProof,
} from '../../src/execution/state.ts'
import { addressNumber } from '../chain/examples.ts'

const ZEROS: Hex = `0x${'00'.repeat(32)}`
const account = (balance: bigint, nonce = 0n): Account => ({ nonce, balance })

// ---- A slow and obvious twin ----

type Accounts = ReadonlyMap<Address, Account>
interface PlainLeaf {
  readonly bits: string
  readonly hash: Buffer
}

function hash(...parts: readonly Uint8Array[]): Buffer {
  return createHash('sha256').update(Buffer.concat(parts)).digest()
}

function plainLeaf([address, { nonce, balance }]: readonly [Address, Account]): PlainLeaf {
  const path = hash(Buffer.from(address.slice(2), 'hex'))
  const bits = [...path].map(byte => byte.toString(2).padStart(8, '0')).join('')
  const littleEndian = (value: bigint, size: number): Buffer =>
    Buffer.from(value.toString(16).padStart(size * 2, '0'), 'hex').reverse()
  return { bits, hash: hash(Buffer.of(0), path, littleEndian(nonce, 8), littleEndian(balance, 32)) }
}

/** The root by its definition, over a sorted list of all accounts. */
function plainRoot(accounts: Accounts): Hex {
  const leaves = [...accounts]
    .filter(([, { nonce, balance }]) => nonce !== 0n || balance !== 0n)
    .map(plainLeaf)
  const subtree = (members: readonly PlainLeaf[], depth: number): Buffer => {
    if (members.length === 0) return Buffer.alloc(32)
    if (members.length === 1) return members[0]!.hash
    const side = (bit: string): readonly PlainLeaf[] => members.filter(({ bits }) => bits[depth] === bit)
    return hash(Buffer.of(1), subtree(side('0'), depth + 1), subtree(side('1'), depth + 1))
  }
  return `0x${subtree(
    leaves.sort((a, b) => (a.bits < b.bits ? -1 : 1)),
    0,
  ).toString('hex')}`
}

// ---- Addresses whose paths begin alike, found by trying ----

const pathBits = (address: Address): string => plainLeaf([address, NO_ACCOUNT]).bits

/** Two of the first 300 addresses, whose paths share the most bits, and how many. */
function findNeighbours(): { a: Address; b: Address; shared: number } {
  const sorted = Array.from({ length: 300 }, (_, index) => addressNumber(index))
    .map(address => ({ address, bits: pathBits(address) }))
    .sort((x, y) => (x.bits < y.bits ? -1 : 1))
  let best = { a: sorted[0]!.address, b: sorted[1]!.address, shared: -1 }
  for (const [index, { address, bits }] of sorted.slice(1).entries()) {
    const before = sorted[index]!
    const shared = [...bits].findIndex((bit, depth) => bit !== before.bits[depth])
    if (shared > best.shared) best = { a: before.address, b: address, shared }
  }
  return best
}

const NEIGHBOURS = findNeighbours()

// ---- Known shapes ----

test('the state without accounts has the root of zeros', () => {
  assert.equal(State.EMPTY.root(), ZEROS)
  assert.deepEqual(State.EMPTY.get(addressNumber(1)), NO_ACCOUNT)
  assert.deepEqual([...State.EMPTY.accounts()], [])
})

test('one account is its own leaf, and the root', () => {
  const path = hash(fromHex(addressNumber(1)))
  const leaf = hash(Buffer.of(0), path, Buffer.from([5, ...Array(7).fill(0), 9, ...Array(31).fill(0)]))
  const state = State.EMPTY.with([[addressNumber(1), account(9n, 5n)]])
  assert.equal(state.root(), `0x${leaf.toString('hex')}`)
})

test('two accounts whose paths share many bits have an inner node for each shared bit', () => {
  const { a, b, shared } = NEIGHBOURS
  assert.ok(shared >= 10, `found by trying: ${shared} bits`)
  const accounts: Accounts = new Map([
    [a, account(1n)],
    [b, account(2n)],
  ])
  const state = State.EMPTY.with(accounts)
  assert.equal(state.root(), plainRoot(accounts))
  assert.equal(state.prove(a).siblings.length, shared + 1)
  assert.deepEqual([state.get(a), state.get(b)], [account(1n), account(2n)])
  const first = pathBits(a) < pathBits(b) ? a : b
  assert.equal([...state.accounts()][0]![0], first, 'a path that goes left comes first')
})

test('when one of two neighbours goes, the other moves up to the root again', () => {
  const { a, b } = NEIGHBOURS
  const alone = State.EMPTY.with([[a, account(1n)]])
  const back = alone.with([[b, account(2n)]]).with([[b, NO_ACCOUNT]])
  assert.equal(back.root(), alone.root())
  assert.deepEqual(back.prove(a).siblings, [])
  assert.equal(back.with([[a, NO_ACCOUNT]]).root(), ZEROS)
})

test('a neighbour of two others keeps its depth when the others go and come', () => {
  const { a, b } = NEIGHBOURS
  const others = Array.from({ length: 20 }, (_, index) => addressNumber(1000 + index))
  const accounts = new Map([a, b, ...others].map(address => [address, account(7n)]))
  let state = State.EMPTY.with(accounts)
  for (const address of others) {
    accounts.delete(address)
    state = state.with([[address, NO_ACCOUNT]])
    assert.equal(state.root(), plainRoot(accounts))
  }
})

// ---- Against the twin ----

const someAccount: fc.Arbitrary<Account> = fc.oneof(
  fc.constant(NO_ACCOUNT),
  fc.record(
    {
      nonce: fc.bigInt({ min: 0n, max: 3n }),
      balance: fc.oneof(fc.bigInt({ min: 0n, max: 3n }), fc.bigInt({ min: 0n, max: 2n ** 256n - 1n })),
    },
    { noNullPrototype: true },
  ),
)
// Few addresses, so that accounts are changed and deleted often; the neighbours among them.
const someAddress: fc.Arbitrary<Address> = fc.oneof(
  fc.nat(25).map(addressNumber),
  fc.constantFrom(NEIGHBOURS.a, NEIGHBOURS.b),
)
const someChanges = fc.array(fc.tuple(someAddress, someAccount), { maxLength: 8 })

test('after any updates the state is the twin, and every version before is as it was', () => {
  fc.assert(
    fc.property(fc.array(someChanges, { minLength: 1, maxLength: 6 }), updates => {
      const accounts = new Map<Address, Account>()
      const versions: { state: State; root: Hex; contents: [Address, Account][] }[] = []
      let state = State.EMPTY
      for (const changes of updates) {
        state = state.with(changes)
        for (const [address, value] of changes) {
          if (value.nonce === 0n && value.balance === 0n) accounts.delete(address)
          else accounts.set(address, value)
        }
        const contents = [...accounts]
        versions.push({ state, root: plainRoot(accounts), contents })
      }
      for (const version of versions) {
        assert.equal(version.state.root(), version.root)
        assert.deepEqual(new Map(version.state.accounts()), new Map(version.contents))
        const inOrder = [...version.state.accounts()].map(([address]) => pathBits(address))
        assert.deepEqual(inOrder, inOrder.toSorted())
        for (let index = 0; index <= 25; index++) {
          const address = addressNumber(index)
          assert.deepEqual(version.state.get(address), new Map(version.contents).get(address) ?? NO_ACCOUNT)
        }
      }
    }),
    { numRuns: 60 },
  )
})

test('the root depends on the accounts alone: not on their order, nor on what came and went between', () => {
  const contents = fc.uniqueArray(fc.tuple(fc.nat(200).map(addressNumber), someAccount), {
    selector: ([address]) => address,
    maxLength: 30,
  })
  fc.assert(
    fc.property(contents, fc.infiniteStream(fc.nat()), someChanges, (entries, order, detour) => {
      const root = State.EMPTY.with(entries).root()
      const shuffled = entries
        .map(entry => ({ entry, key: order.next().value as number }))
        .sort((a, b) => a.key - b.key)
        .map(({ entry }) => entry)
      assert.equal(State.EMPTY.with(shuffled).root(), root)
      let oneByOne = State.EMPTY
      for (const entry of shuffled) oneByOne = oneByOne.with([entry])
      assert.equal(oneByOne.root(), root)
      const restored = new Map([...detour.map(([address]) => [address, NO_ACCOUNT] as const), ...entries])
      assert.equal(oneByOne.with(detour).with(restored).root(), root)
    }),
    { numRuns: 40 },
  )
})

test('of changes to one account in one update, the last counts', () => {
  const address = addressNumber(1)
  const changes: [Address, Account][] = [
    [address, account(1n)],
    [address, account(2n)],
  ]
  assert.deepEqual(State.EMPTY.with(changes).get(address), account(2n))
  assert.equal(State.EMPTY.with([...changes, [address, NO_ACCOUNT]]).root(), ZEROS)
})

test('an account with a nonce and no money exists', () => {
  const state = State.EMPTY.with([[addressNumber(1), account(0n, 1n)]])
  assert.notEqual(state.root(), ZEROS)
  assert.deepEqual(state.get(addressNumber(1)), account(0n, 1n))
})

// ---- Proofs ----

const COUNTS = [0, 1, 2, 3, 50]
for (const count of COUNTS) {
  test(`among ${count} accounts, each is proved to be there, and others not to be`, () => {
    const accounts = new Map(
      Array.from({ length: count }, (_, i) => [addressNumber(i), account(BigInt(i + 1))]),
    )
    const state = State.EMPTY.with(accounts)
    for (let index = 0; index < count + 50; index++) {
      const address = addressNumber(index)
      const proof = state.prove(address)
      assert.deepEqual(verifyAccountProof(state.root(), address, proof), accounts.get(address) ?? NO_ACCOUNT)
    }
  })
}

test('neighbours prove each other absent', () => {
  const { a, b, shared } = NEIGHBOURS
  const state = State.EMPTY.with([
    [a, account(1n)],
    [addressNumber(5000), account(1n)],
  ])
  const proof = state.prove(b)
  assert.ok(proof.leaf === null || shared > 0)
  assert.deepEqual(verifyAccountProof(state.root(), b, proof), NO_ACCOUNT)
})

const MANY = new Map(
  Array.from({ length: 40 }, (_, index) => [addressNumber(index), account(BigInt(index + 1), 1n)]),
)
const MANY_STATE = State.EMPTY.with([...MANY, [NEIGHBOURS.a, account(77n)]])
const MANY_ROOT = MANY_STATE.root()

const flip = (bytes: Uint8Array, bit: number): Uint8Array =>
  bytes.with((bit >> 3) % bytes.length, bytes[(bit >> 3) % bytes.length]! ^ (1 << (bit & 7)))

type Tamper = (proof: AccountProof, at: number) => AccountProof

/** Ways to lie; each gives the very proof back where it finds nothing to change. */
const TAMPERINGS: readonly [says: string, tamper: Tamper][] = [
  [
    'a bit of a sibling',
    (p, at) =>
      withSiblings(p, siblings => siblings.map((s, i) => (i === at % siblings.length ? flip(s, at) : s))),
  ],
  ['a sibling left out', (p, at) => withSiblings(p, siblings => siblings.toSpliced(at % siblings.length, 1))],
  ['a sibling twice', (p, at) => withSiblings(p, s => s.toSpliced(at % s.length, 0, s[at % s.length]!))],
  ['a sibling of zeros', (p, at) => withSiblings(p, s => s.with(at % s.length, new Uint8Array(32)))],
  ['the siblings upside down', p => withSiblings(p, siblings => siblings.toReversed())],
  ['a sibling at the end', p => ({ ...p, siblings: [...p.siblings, new Uint8Array(32)] })],
  ['a short sibling', (p, at) => withSiblings(p, s => s.with(at % s.length, s[at % s.length]!.subarray(1)))],
  ['no siblings', p => ({ ...p, siblings: [] })],
  ['300 siblings', p => ({ ...p, siblings: Array<Uint8Array>(300).fill(new Uint8Array(32)) })],
  ['no leaf', p => ({ ...p, leaf: null })],
  ['a bit of the path', (p, at) => withLeaf(p, leaf => ({ ...leaf, path: flip(leaf.path, at) }))],
  ['a short path', p => withLeaf(p, leaf => ({ ...leaf, path: leaf.path.subarray(1) }))],
  ['a long path', p => withLeaf(p, leaf => ({ ...leaf, path: Uint8Array.of(...leaf.path, 0) }))],
  [
    'more money',
    p => withLeaf(p, ({ path, account: a }) => ({ path, account: { ...a, balance: a.balance + 1n } })),
  ],
  [
    'another nonce',
    p => withLeaf(p, ({ path, account: a }) => ({ path, account: { ...a, nonce: a.nonce + 1n } })),
  ],
  ['no account', p => withLeaf(p, ({ path }) => ({ path, account: NO_ACCOUNT }))],
  ['a balance of 257 bits', p => withLeaf(p, ({ path }) => ({ path, account: account(2n ** 256n) }))],
  ['a nonce of 65 bits', p => withLeaf(p, ({ path }) => ({ path, account: account(1n, 2n ** 64n) }))],
  ['a debt', p => withLeaf(p, ({ path }) => ({ path, account: account(-1n) }))],
  ["another account's leaf", (p, at) => ({ ...p, leaf: MANY_STATE.prove(addressNumber(at % 40)).leaf })],
  ["another account's proof", (_, at) => MANY_STATE.prove(addressNumber(at % 40))],
]

function withSiblings(proof: AccountProof, change: (siblings: Uint8Array[]) => Uint8Array[]): AccountProof {
  return proof.siblings.length === 0 ? proof : { ...proof, siblings: change([...proof.siblings]) }
}

function withLeaf(
  proof: AccountProof,
  change: (leaf: NonNullable<AccountProof['leaf']>) => NonNullable<AccountProof['leaf']>,
): AccountProof {
  return proof.leaf === null ? proof : { ...proof, leaf: change(proof.leaf) }
}

for (const [says, tamper] of TAMPERINGS) {
  test(`a proof with ${says} shows nothing, or the truth`, () => {
    let refused = 0
    for (let index = 0; index < 80; index++) {
      const address = addressNumber(index)
      const result = verifyAccountProof(MANY_ROOT, address, tamper(MANY_STATE.prove(address), index * 7))
      if (result === null) refused++
      else assert.deepEqual(result, MANY_STATE.get(address), `address ${index}`)
    }
    assert.ok(refused >= 35, `${refused} refused`)
  })
}

test('a proof shows nothing under another root', () => {
  const address = addressNumber(3)
  const proof = MANY_STATE.prove(address)
  assert.equal(verifyAccountProof(MANY_STATE.with([[address, NO_ACCOUNT]]).root(), address, proof), null)
  assert.equal(verifyAccountProof(ZEROS, address, proof), null)
  assert.deepEqual(verifyAccountProof(ZEROS, address, { siblings: [], leaf: null }), NO_ACCOUNT)
})

/** A root that a liar made, of a tree where a leaf stands at the end of another path; the siblings are zeros. */
function rootOfLiar(path: string, depth: number, leaf: PlainLeaf): Hex {
  let node = leaf.hash
  for (let level = depth - 1; level >= 0; level--) {
    const zeros = Buffer.alloc(32)
    node = path[level] === '1' ? hash(Buffer.of(1), zeros, node) : hash(Buffer.of(1), node, zeros)
  }
  return `0x${node.toString('hex')}`
}

test('a leaf that stands where its path does not lead shows nothing, even under a root made for it', () => {
  const [a, b] = [addressNumber(1), addressNumber(2)]
  const apart = [...pathBits(a)].findIndex((bit, depth) => bit !== pathBits(b)[depth])
  const leaf = { path: hash(fromHex(b)), account: account(5n) }
  for (const depth of [apart, apart + 1, apart + 9]) {
    const root = rootOfLiar(pathBits(a), depth, plainLeaf([b, leaf.account]))
    const siblings = Array<Uint8Array>(depth).fill(new Uint8Array(32))
    const shown = verifyAccountProof(root, a, { siblings, leaf })
    assert.deepEqual(shown, depth === apart ? NO_ACCOUNT : null)
  }
})

test('a path has 256 bits: a longer proof shows nothing, even under a root made for it', () => {
  const address = addressNumber(1)
  const leaf = { path: hash(fromHex(address)), account: account(5n) }
  for (const depth of [255, 256, 257, 300]) {
    const root = rootOfLiar(pathBits(address), depth, plainLeaf([address, leaf.account]))
    const siblings = Array<Uint8Array>(depth).fill(new Uint8Array(32))
    const shown = verifyAccountProof(root, address, { siblings, leaf })
    assert.deepEqual(shown, depth <= 256 ? leaf.account : null)
  }
})

test('a proof is about as long as the logarithm of the accounts', () => {
  for (const [address] of MANY) assert.ok(MANY_STATE.prove(address).siblings.length < 20)
})

// ---- Records ----

test('an account has 40 bytes, which read back', () => {
  assert.equal(
    toHex(encodeAccount(account(0x0102n, 0x0304n))),
    `0x0403${'00'.repeat(6)}0201${'00'.repeat(30)}`,
  )
  fc.assert(
    fc.property(someAccount, value => {
      const bytes = encodeAccount(value)
      assert.equal(bytes.length, 40)
      assert.deepEqual(decodeAccount(bytes), value)
    }),
  )
})

for (const size of [0, 39, 41]) {
  test(`${size} bytes are no account`, () => assert.equal(decodeAccount(new Uint8Array(size)), null))
}
