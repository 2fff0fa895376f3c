// What attacks are done to in a test: a real node, which mines and is a network's only validator, its RPC, and whoever is
// honest. It counts what noise on the machine can't change: messages of strangers that are taken in, in one turn of the
// event loop and in all, and the memory that is left taken.

import assert from 'node:assert/strict'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { TestContext } from 'node:test'
import { setImmediate, setTimeout as sleep } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { addressOfSecretKey } from '../../src/chain/signature.ts'
import type { Genesis } from '../../src/execution/genesis.ts'
import type { Node } from '../../src/node/node.ts'
import { RpcServer } from '../../src/rpc/server.ts'
import { RpcClient } from '../../src/wallet/rpc-client.ts'
import { cleanUp } from '../cleanup.ts'
import { keyOf } from '../finality/test-validators.ts'
import { addressOf, easyGenesis, nodesOf, transfer } from '../node/nodes.ts'
import { peerIdIn } from '../node/raw-peer.ts'
import type { Target } from './stranger.ts'

/** Blocks that the node has before it is attacked. */
const BLOCKS = 120
/** Nothing is asserted about time: this ends a test that waits in vain. */
const PATIENCE_MS = 170_000
const RESOLUTION_MS = 10
const DEPTH = 2

/** A network with these validators, whose blocks are mined at once. */
export function hostileGenesis(keys: readonly Uint8Array[]): Genesis {
  const validators = keys.map((key, index) => ({ name: `v${index + 1}`, address: addressOfSecretKey(key) }))
  return easyGenesis({
    forTests: true,
    finality: {
      mode: 'hybrid',
      pattern: 'all-to-all',
      timeoutMs: 1_000,
      depth: DEPTH,
      interval: 1,
      validators,
    },
  })
}

/** What anybody may know of a node. */
export function targetOf(node: Node, rpc: string | null = null): Target {
  const { block, blocks } = node.replica.genesis
  const { chainId, blockBytesMax } = blocks
  return { address: node.multiaddrs()[0]!, rpc, genesisId: block.id, chainId, blockBytesMax }
}

/** Resolves when the condition holds; fails after three minutes. */
export async function eventually(what: string, isSo: () => boolean | Promise<boolean>): Promise<void> {
  const endMs = performance.now() + PATIENCE_MS
  while (!(await isSo())) {
    assert.ok(performance.now() < endMs, `never happened: ${what}`)
    await sleep(10)
  }
}

/** Counts what a node takes in of strangers. */
export class Watch {
  /** Most messages of one stranger in one turn of the event loop. */
  mostInTurn = 0
  /** Messages of strangers that the replica took in. */
  taken = 0
  readonly #honest = new Set<string>()
  readonly #inTurn = new Map<string, number>()
  readonly #pauses: ReturnType<typeof monitorEventLoopDelay>

  constructor(t: TestContext, node: Node) {
    this.#pauses = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
    this.#pauses.enable()
    cleanUp(t, () => this.#pauses.disable())
    const step = node.replica.step.bind(node.replica)
    node.replica.step = (input, nowMs) => {
      if (input.type === 'message' && !this.#honest.has(input.from)) this.#count(input.from)
      return step(input, nowMs)
    }
  }

  /** What this node says is not counted. */
  trust(node: Node): void {
    this.#honest.add(peerIdIn(node.multiaddrs()[0]!))
  }

  /** The longest time in which the event loop, which the attacker shares, did not turn: for people, never asserted. */
  get longestPauseMs(): number {
    return Math.max(0, this.#pauses.max / 1e6 - RESOLUTION_MS)
  }

  #count(from: string): void {
    if (this.#inTurn.size === 0) void setImmediate().then(() => this.#inTurn.clear())
    const count = (this.#inTurn.get(from) ?? 0) + 1
    this.#inTurn.set(from, count)
    this.mostInTurn = Math.max(this.mostInTurn, count)
    this.taken += 1
  }
}

/** A node, its RPC, and honest nodes. */
export class Scene {
  readonly node: Node
  readonly watch: Watch
  readonly target: Target
  readonly #t: TestContext
  readonly #rpc: RpcClient
  #nonce = 0

  private constructor(t: TestContext, node: Node, rpc: string) {
    this.#t = t
    this.node = node
    this.watch = new Watch(t, node)
    this.target = targetOf(node, rpc)
    this.#rpc = new RpcClient(rpc)
  }

  /** A node with a chain. */
  static async open(t: TestContext): Promise<Scene> {
    const secretKey = keyOf('hostile')
    const node = await nodesOf(t)({
      genesis: hostileGenesis([secretKey]),
      validator: { secretKey, mayForgetVotes: false },
    })
    const rpc = await RpcServer.open(node, { port: 0, cookieDirectory: null })
    cleanUp(t, () => rpc.close())
    const scene = new Scene(t, node, rpc.url)
    await scene.grow(BLOCKS)
    return scene
  }

  /** Mines so many blocks, with a transfer in them, and waits until what can be final of them is. */
  async grow(blocks: number): Promise<void> {
    const { node } = this
    const goal = node.replica.tree.head.chained.height + blocks
    assert.ok('id' in (await node.submit(transfer(0, this.#nonce++))), 'a transfer is refused')
    node.setMining(addressOf(1), blocks)
    await eventually('a block becomes final', () => node.replica.tree.base.chained.height >= goal - DEPTH)
  }

  /** A node of somebody who has nothing yet, with no peers. */
  async newcomer(): Promise<Node> {
    const newcomer = await nodesOf(this.#t)({ genesis: this.node.replica.genesis })
    this.watch.trust(newcomer)
    return newcomer
  }

  /** Connects a newcomer to the node, and waits until it has caught up. */
  async join(newcomer: Node): Promise<void> {
    const goal = this.node.replica.tree.head.chained.height
    newcomer.addPeer(this.node.multiaddrs()[0]!)
    await eventually('an honest newcomer catches up', () => newcomer.replica.tree.head.chained.height >= goal)
  }

  /** Asks the RPC as anybody would, until it answers. */
  async ask(): Promise<void> {
    await eventually('the RPC answers', () =>
      this.#rpc.call('eth_blockNumber').then(
        () => true,
        () => false,
      ),
    )
  }
}

/** Bytes of the heap that are in use when all that can be freed is. */
export function heapBytes(): number {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  collect()
  return process.memoryUsage().heapUsed
}
