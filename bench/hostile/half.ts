// One half of a minute, disturbed or not: a probe asks a node every 50 ms, whether or not it has answered, and what the
// network did meanwhile is read off before and after.

import { Agent, request } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import type { BenchNetwork } from './network.ts'

const PROBE_MS = 50
/** A probe that is not answered by then counts as this long. */
const PROBE_TIMEOUT_MS = 20_000
const CALL = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'eth_blockNumber' })

/** What was measured. */
export interface Half {
  readonly probeP50Ms: number
  readonly probeP99Ms: number
  /** The longest time in which the event loop of any node did not turn. */
  readonly pauseMs: number
  readonly blocksPerSecond: number
  readonly finalPerSecond: number
  /** Of the node that had most. */
  readonly rssBytes: number
  /** Share of one core that the nodes took together. */
  readonly nodesCpu: number
}

/** Measures so many seconds. */
export async function measure(network: BenchNetwork, seconds: number): Promise<Half> {
  await network.loops()
  const before = await network.status(0)
  const beganMs = performance.now()
  const latencies = await probe(network.nodes[0]!.ready.rpc, seconds * 1_000)
  const after = await network.status(0)
  const lasted = (performance.now() - beganMs) / 1_000
  const loops = await network.loops()
  const sorted = latencies.toSorted((a, b) => a - b)
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!
  return {
    probeP50Ms: at(0.5),
    probeP99Ms: at(0.99),
    pauseMs: Math.max(...loops.map(({ pauseMs }) => pauseMs)),
    blocksPerSecond: (after.head.height - before.head.height) / lasted,
    finalPerSecond: ((after.final?.height ?? 0) - (before.final?.height ?? 0)) / lasted,
    rssBytes: Math.max(...loops.map(({ rssBytes }) => rssBytes)),
    nodesCpu: loops.reduce((sum, { cpuMs }) => sum + cpuMs, 0) / 1_000 / lasted,
  }
}

async function probe(url: string, lastsMs: number): Promise<number[]> {
  const agent = new Agent({ keepAlive: true })
  const asked: Promise<number>[] = []
  const endMs = performance.now() + lastsMs
  while (performance.now() < endMs) {
    asked.push(ask(url, agent))
    await sleep(PROBE_MS)
  }
  const latencies = await Promise.all(asked)
  agent.destroy()
  return latencies
}

/** Milliseconds until the answer is there; a refusal counts as no answer. */
function ask(url: string, agent: Agent): Promise<number> {
  const beganMs = performance.now()
  return new Promise(resolve => {
    const headers = { 'content-type': 'application/json', 'content-length': CALL.length }
    const sent = request(url, { method: 'POST', agent, headers, timeout: PROBE_TIMEOUT_MS })
    const fail = () => resolve(PROBE_TIMEOUT_MS)
    sent.on('timeout', () => sent.destroy())
    sent.on('error', fail)
    sent.on('close', fail)
    sent.on('response', answer => {
      answer.resume()
      answer.on('end', () => (answer.statusCode === 200 ? resolve(performance.now() - beganMs) : fail()))
    })
    sent.end(CALL)
  })
}
