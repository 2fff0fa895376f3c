// Every attack by name, against a real node over loopback. What is asserted is what noise can't change: how much is done
// for a stranger in one turn of the event loop, that an honest newcomer catches up, blocks become final and the RPC answers
// meanwhile, what is left in memory, and what became of the stranger. Pauses are printed.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Attack } from './attack.ts'
import { Attacker } from './attacker.ts'
import { ATTACKS, PEER_ATTACKS } from './attacks.ts'
import { eventually, heapBytes, Scene, targetOf } from './scene.ts'

/** Blocks that must become final while an attack is under way. */
const BLOCKS = 4
/** Bytes of the heap that an attack may leave taken: blocks, caches and what the tests' own attacker holds. */
const LEFT_BYTES_MAX = 48 * 1024 * 1024
/** Strangers that an attack has at once where they are kept. */
const NAMES_MAX = 2

/**
 * Bytes that a node reads of a stranger: at once, the largest message and what is read ahead, and in each millisecond.
 * Time only ever allows for more, so this holds on any machine.
 */
const READ_BYTES_MAX = { atOnce: 16 * 1024 * 1024, perMs: 2 * 1024 }

for (const attack of ATTACKS) {
  test(`a stranger that ${attack.name} harms nobody`, async t => {
    const scene = await Scene.open(t)
    const before = heapBytes()
    const stop = new AbortController()
    const newcomer = await scene.newcomer()
    const target = attack.isAgainstJoiners ? targetOf(newcomer) : scene.target
    const attacker = new Attacker(target, stop.signal)
    const beganMs = performance.now()
    const attacking = attack.run(attacker)
    await eventually('the attack is under way', () => isUnderWay(attacker))
    await scene.join(newcomer)
    await scene.grow(BLOCKS)
    await scene.ask()
    const { cost } = attacker
    const lastedMs = performance.now() - beganMs
    stop.abort()
    await attacking
    const { mostInTurn, taken, longestPauseMs } = scene.watch
    const left = heapBytes() - before
    t.diagnostic(
      `${taken} messages taken in, ${mostInTurn} in one turn; ${cost.bytesSent} bytes sent for ${cost.bytesReceived}, ` +
        `${cost.connections} connections, ${cost.refusals} refused; ${(left / 2 ** 20).toFixed(1)} MiB left; ` +
        `longest pause, the attacker's work included: ${longestPauseMs.toFixed(0)} ms`,
    )
    assert.ok(mostInTurn <= 1, `${mostInTurn} messages of a stranger in one turn of the loop`)
    assert.ok(left < LEFT_BYTES_MAX, `${left} bytes are left in memory`)
    if (PEER_ATTACKS.includes(attack)) checkRead(attacker, lastedMs)
    checkFate(attack, attacker)
  })
}

function isUnderWay({ cost }: Attacker): boolean {
  return Object.values(cost).some(value => value > 1)
}

function checkRead({ cost }: Attacker, lastedMs: number): void {
  const most = READ_BYTES_MAX.atOnce * cost.connections + READ_BYTES_MAX.perMs * lastedMs
  assert.ok(cost.bytesSent <= most, `${cost.bytesSent} bytes were read, of ${most}`)
}

function checkFate({ fate }: Attack, { cost }: Attacker): void {
  if (fate === 'kept') assert.ok(cost.connections <= NAMES_MAX, `${cost.connections} connections`)
  if (fate === 'ended') assert.ok(cost.connections + cost.refusals > 1, 'its connection was not ended')
}
