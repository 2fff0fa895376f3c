import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Logger } from 'pino'
import { PEER_LINES, PeerLog } from '../../src/node/peer-log.ts'

/** A log of peers, the lines that it has, and its clock. */
function newLog() {
  const lines: { readonly peer: string; readonly leftOut?: number; readonly text: string }[] = []
  const write = (details: { readonly peer: string }, text: string) => lines.push({ ...details, text })
  const clock = { nowMs: 0 }
  const log = new PeerLog(
    { info: write, warn: write } as unknown as Pick<Logger, 'info' | 'warn'>,
    peer => peer === 'validator',
    () => clock.nowMs,
  )
  return { log, lines, clock }
}

test('peers under ever new names cause few lines, and the next says how many were left out', () => {
  const { log, lines, clock } = newLog()
  for (let count = 0; count < 10_000; count++) log.warn(`stranger ${count}`, 'a peer broke the rules')
  assert.equal(lines.length, PEER_LINES.burst)
  clock.nowMs = 1_000 / PEER_LINES.perSecond
  log.info('another', 'a peer is connected')
  log.info('and another', 'a peer is connected')
  assert.deepEqual(lines.slice(PEER_LINES.burst), [
    { peer: 'another', leftOut: 10_000 - PEER_LINES.burst, text: 'a peer is connected' },
  ])
})

test('what privileged peers do is always told', () => {
  const { log, lines } = newLog()
  for (let count = 0; count < 1_000; count++) log.info('stranger', 'a peer is connected')
  log.info('validator', 'a peer is gone', { end: 'closed' })
  const [line] = lines.slice(PEER_LINES.burst)
  assert.deepEqual(line, { peer: 'validator', end: 'closed', leftOut: 940, text: 'a peer is gone' })
})
