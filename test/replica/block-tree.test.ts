import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { BlockTree, type TreeBlock } from '../../src/replica/block-tree.ts'

/** A block of which only the place in the tree and the transactions count. Its name stands for its id. */
function block(
  name: string,
  parent: TreeBlock | null,
  transactions: readonly string[] = [],
  { work = 1n, arrival = 0 } = {},
): TreeBlock {
  const previous = parent?.chained.id ?? '0x'
  const height = (parent?.chained.height ?? -1) + 1
  return {
    chained: { id: `0x${name}`, height, header: { previous }, work: (parent?.chained.work ?? 0n) + work },
    arrival,
    block: { transactions: transactions.map(id => ({ id })) },
  } as unknown as TreeBlock
}

/** A tree from lines such as `a1 a2 a3` and `a1 b2 b3`: each word a block whose parent is the word before it. */
function treeOf(base: string, ...lines: readonly string[]) {
  const blocks = new Map([[base, block(base, null)]])
  const tree = new BlockTree(blocks.get(base)!)
  for (const line of lines) {
    for (const [index, name] of line.split(' ').entries()) {
      if (blocks.has(name)) continue
      const entry = block(name, blocks.get(line.split(' ')[index - 1]!)!)
      blocks.set(name, entry)
      tree.add(entry)
    }
  }
  return { tree, of: (name: string) => blocks.get(name)! }
}

const names = (entries: Iterable<TreeBlock>): string =>
  [...entries].map(entry => entry.chained.id.slice(2)).join(' ')

test('a tree begins with its base as its head', () => {
  const { tree, of } = treeOf('base')
  assert.equal(tree.head, of('base'))
  assert.equal(tree.base, of('base'))
  assert.equal(names(tree.tips()), 'base')
  assert.ok(tree.isOnMainChain(of('base')))
  assert.deepEqual([tree.has('0xbase'), tree.has('0xa1')], [true, false])
  assert.deepEqual([tree.get('0xbase'), tree.get('0xa1')], [of('base'), undefined])
})

test('a block without its parent is not taken', () => {
  const { tree } = treeOf('base')
  assert.throws(() => tree.add(block('x', block('y', null))), /has no parent here/)
})

//     base ── a1 ── a2 ── a3
test('to follow a longer chain joins its blocks from the oldest', () => {
  const { tree, of } = treeOf('base', 'base a1 a2 a3')
  const { left, joined } = tree.moveHead(of('a3'))
  assert.equal(names(left), '')
  assert.equal(names(joined), 'a1 a2 a3')
  assert.equal(tree.atHeight(2), of('a2'))
  assert.equal(tree.atHeight(4), undefined)
  assert.equal(tree.atHeight(-1), undefined)
})

//     base ── a1 ── a2 ── a3
//               └── b2 ── b3 ── b4
test('to follow another branch leaves one side of the fork and joins the other', () => {
  const { tree, of } = treeOf('base', 'base a1 a2 a3', 'a1 b2 b3 b4')
  tree.moveHead(of('a3'))
  const { left, joined } = tree.moveHead(of('b4'))
  assert.equal(names(left), 'a2 a3')
  assert.equal(names(joined), 'b2 b3 b4')
  assert.ok(!tree.isOnMainChain(of('a2')))
  assert.equal(names(tree.tips()), 'a3 b4')
})

//     base ── a1 ── a2 ── a3 ── a4
//               └── b2                  b2 may hold more work than a4
test('the other branch may be shorter', () => {
  const { tree, of } = treeOf('base', 'base a1 a2 a3 a4', 'a1 b2')
  tree.moveHead(of('a4'))
  const { left, joined } = tree.moveHead(of('b2'))
  assert.equal(names(left), 'a2 a3 a4')
  assert.equal(names(joined), 'b2')
  assert.equal(tree.atHeight(3), undefined)
})

//     base ── a1 ── a2          to a1, which is an ancestor of the head
test('to follow an ancestor leaves what stands above it', () => {
  const { tree, of } = treeOf('base', 'base a1 a2')
  tree.moveHead(of('a2'))
  const { left, joined } = tree.moveHead(of('a1'))
  assert.equal(names(left), 'a2')
  assert.equal(names(joined), '')
})

//     base ── a1 ── a2 ── a3
//       └── c1    └── b3 ── b4           a2 becomes the base: c1 goes, both children of a2 stay
test('a new base drops what does not descend from it and keeps what does', () => {
  const { tree, of } = treeOf('base', 'base a1 a2 a3', 'base c1', 'a2 b3 b4')
  tree.moveHead(of('a3'))
  const { final, dropped } = tree.moveBase(of('a2'))
  assert.equal(names(final), 'a1 a2')
  assert.equal(names(dropped), 'c1')
  assert.equal(names(tree.blocks()), 'a2 a3 b3 b4')
  assert.equal(tree.base, of('a2'))
  assert.equal(tree.atHeight(3), of('a3'))
  assert.equal(tree.atHeight(1), undefined)
  assert.equal(names(tree.moveHead(of('b4')).joined), 'b3 b4')
})

//     base ── a1 ── a2 ── a3
//               └── c2 ── c3 ── c4       a whole branch hangs on a block that becomes final
//                     └── d3
test('a new base drops branches to their last leaf', () => {
  const { tree, of } = treeOf('base', 'base a1 a2 a3', 'a1 c2 c3 c4', 'c2 d3')
  tree.moveHead(of('a3'))
  assert.equal(names(tree.moveBase(of('a2')).dropped), 'c2 c3 c4 d3')
  assert.equal(tree.size, 2)
})

test('a base off the main chain is refused', () => {
  const { tree, of } = treeOf('base', 'base a1 a2', 'a1 b2')
  tree.moveHead(of('a2'))
  assert.throws(() => tree.moveBase(of('b2')), /is not on the main chain/)
})

test('the base may become the base again', () => {
  const { tree, of } = treeOf('base', 'base a1')
  tree.moveHead(of('a1'))
  tree.moveBase(of('a1'))
  const { dropped } = tree.moveBase(of('a1'))
  assert.equal(names(dropped), '')
  assert.equal(tree.size, 1)
})

//     base ── a1(x) ── a2(y)
//       └── b1(y) ── b2(z)
test('a transaction is found in the block of the main chain that holds it, and nowhere else', () => {
  const base = block('base', null)
  const a1 = block('a1', base, ['x', 'w'])
  const a2 = block('a2', a1, ['y'])
  const b1 = block('b1', base, ['y'])
  const b2 = block('b2', b1, ['z'])
  const tree = new BlockTree(base)
  for (const entry of [a1, a2, b1, b2]) tree.add(entry)
  const where = (id: string): string => {
    const found = tree.including(id as `0x${string}`)
    return found === undefined ? 'nowhere' : `${names([found.block])} ${found.index}`
  }
  const everywhere = (): string[] => ['x', 'w', 'y', 'z'].map(where)
  tree.moveHead(a2)
  assert.deepEqual(everywhere(), ['a1 0', 'a1 1', 'a2 0', 'nowhere'])
  tree.moveHead(b2)
  assert.deepEqual(everywhere(), ['nowhere', 'nowhere', 'b1 0', 'b2 0'])
  tree.moveHead(a2)
  tree.moveBase(a1)
  assert.deepEqual(everywhere(), ['nowhere', 'nowhere', 'a2 0', 'nowhere'])
})

// ---- against a twin that knows only each block's parent

class NaiveTree {
  readonly parents = new Map<string, string | null>()
  readonly transactions = new Map<string, readonly string[]>()
  readonly works = new Map<string, bigint>()
  base = 'base'
  head = 'base'

  wayTo(name: string): string[] {
    if (name === this.base) return [name]
    return [...this.wayTo(this.parents.get(name)!), name]
  }

  /** Takes the lightest tips beside the main chain away, the newest first, until so many blocks are beside it. */
  evict(sideMax: number, kept: string): string[] {
    const evicted: string[] = []
    for (;;) {
      const way = this.wayTo(this.head)
      const names = [...this.parents.keys()]
      const parents = new Set(this.parents.values())
      const open = names.filter(name => !way.includes(name) && !parents.has(name) && name !== kept)
      const least = open.reduce((min, name) => (this.workOf(name) <= this.workOf(min) ? name : min), open[0]!)
      if (names.length - way.length <= sideMax || open.length === 0) return evicted
      this.parents.delete(least)
      evicted.push(least)
    }
  }

  workOf(name: string): bigint {
    return this.works.get(name) ?? 0n
  }

  descends(name: string): boolean {
    for (let at: string | null | undefined = name; at !== null && at !== undefined; at = this.parents.get(at))
      if (at === this.base) return true
    return false
  }
}

test('however blocks come and heads and bases move, the tree is what its naive twin is', () => {
  const step = fc.record({
    kind: fc.constantFrom('add', 'add', 'add', 'add', 'head', 'base', 'evict'),
    pick: fc.nat(1000),
    isRepeated: fc.boolean(),
  })
  fc.assert(
    fc.property(fc.array(step, { minLength: 10, maxLength: 60 }), steps => {
      const base = block('base', null)
      const tree = new BlockTree(base)
      const twin = new NaiveTree()
      twin.parents.set('base', null)
      const entries = new Map([['base', base]])
      for (const [index, { kind, pick, isRepeated }] of steps.entries()) {
        const known = [...twin.parents.keys()]
        const chosen = known[pick % known.length]!
        if (kind === 'add') {
          const parent = entries.get(chosen)!
          // One that other branches may hold too, once each, and one of its own.
          const shared = isRepeated ? [`h${parent.chained.height}`] : []
          const transactions = [...shared, `t${index}`]
          const place = { work: BigInt(1 + (pick % 3)), arrival: index }
          const entry = block(`n${index}`, parent, transactions, place)
          twin.works.set(`n${index}`, entry.chained.work)
          entries.set(`n${index}`, entry)
          twin.parents.set(`n${index}`, chosen)
          twin.transactions.set(`n${index}`, transactions)
          tree.add(entry)
        } else if (kind === 'head') {
          const [before, after] = [twin.wayTo(twin.head), twin.wayTo(chosen)]
          const { left, joined } = tree.moveHead(entries.get(chosen)!)
          assert.equal(names(left), before.filter(name => !after.includes(name)).join(' '))
          assert.equal(names(joined), after.filter(name => !before.includes(name)).join(' '))
          twin.head = chosen
        } else if (kind === 'evict') {
          const evicted = tree.evict(pick % 6, entry => entry === entries.get(chosen))
          assert.equal(names(evicted), twin.evict(pick % 6, chosen).join(' '))
        } else {
          const way = twin.wayTo(twin.head)
          const to = way[pick % Math.min(way.length, 4)]!
          const { final, dropped } = tree.moveBase(entries.get(to)!)
          const passed = way.slice(0, way.indexOf(to))
          if (passed.length > 0) assert.equal(names(final), [...passed, to].slice(1).join(' '))
          twin.base = to
          const gone = known.filter(name => !twin.descends(name))
          assert.equal(names(dropped), gone.filter(name => !passed.includes(name)).join(' '))
          for (const name of gone) twin.parents.delete(name)
        }
        assertSame(tree, twin)
      }
    }),
    { numRuns: 150 },
  )
})

function assertSame(tree: BlockTree, twin: NaiveTree): void {
  const way = twin.wayTo(twin.head)
  assert.equal(names(tree.blocks()), [...twin.parents.keys()].join(' '))
  assert.equal(names([tree.base, tree.head]), `${twin.base} ${twin.head}`)
  const baseHeight = tree.base.chained.height
  assert.equal(names(way.map((_, index) => tree.atHeight(baseHeight + index)!)), way.join(' '))
  for (const entry of tree.blocks())
    assert.equal(tree.isOnMainChain(entry), way.includes(entry.chained.id.slice(2)))
  const parents = new Set(twin.parents.values())
  const tips = [...twin.parents.keys()].filter(name => !parents.has(name))
  assert.deepEqual(new Set(names(tree.tips()).split(' ')), new Set(tips))
  assert.equal(tree.sideSize, twin.parents.size - way.length)
  for (const id of new Set([...twin.transactions.values()].flat())) {
    const holder = way.slice(1).find(name => twin.transactions.get(name)!.includes(id))
    const found = tree.including(id as `0x${string}`)
    assert.equal(found?.block.chained.id, holder === undefined ? undefined : `0x${holder}`)
    if (holder !== undefined) assert.equal(found?.index, twin.transactions.get(holder)!.indexOf(id))
  }
}

//     base ── a1 ── a2 ── a3
//              └─── b2 ── b3
test('the descendants of a block are itself and all above it, in the order in which they came', () => {
  const { tree, of } = treeOf('base', 'base a1 a2', 'a1 b2 b3', 'a2 a3')
  assert.equal(names(tree.descendants(of('a1'))), 'a1 a2 b2 b3 a3')
  assert.equal(names(tree.descendants(of('b2'))), 'b2 b3')
  assert.equal(names(tree.descendants(of('a3'))), 'a3')
  assert.equal(names(tree.descendants(of('base'))), 'base a1 a2 b2 b3 a3')
})

//     base ── a1 ── a2 ── a3          head
//       ├── b1 ── b2                  kept to b1
//       └── c1
test('what is evicted are tips beside the main chain, and one that is kept stays with what is before it', () => {
  const { tree, of } = treeOf('base', 'base a1 a2 a3', 'base b1 b2', 'base c1')
  tree.moveHead(of('a3'))
  assert.equal(tree.sideSize, 3)
  assert.equal(
    tree.lightestSideTip(() => false),
    of('c1'),
  )
  assert.equal(
    tree.lightestSideTip(entry => entry === of('c1')),
    of('b2'),
  )
  assert.equal(names(tree.evict(3, () => false)), '')
  assert.equal(names(tree.evict(0, entry => entry === of('b1'))), 'c1 b2')
  assert.equal(names(tree.blocks()), 'base a1 a2 a3 b1')
  assert.equal(names(tree.tips()), 'a3 b1')
  assert.equal(
    tree.lightestSideTip(entry => entry === of('b1')),
    null,
  )
  assert.equal(tree.evictedCount, 2)
  tree.add(of('b2'))
  assert.equal(names(tree.tips()), 'a3 b2')
})
