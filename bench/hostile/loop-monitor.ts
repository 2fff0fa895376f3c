// Loaded into a node before anything else (node --import): measures how long its event loop stands still, and tells when it is
// asked over the channel that the bench started it with.

import { monitorEventLoopDelay } from 'node:perf_hooks'
import process from 'node:process'
import { isMainThread } from 'node:worker_threads'

const RESOLUTION_MS = 10

/** What a node tells of itself since it was asked last. */
export interface LoopReport {
  /** The longest time in which the event loop did not turn. */
  readonly pauseMs: number
  readonly cpuMs: number
  readonly rssBytes: number
}

if (isMainThread && process.send !== undefined) {
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
  delay.enable()
  let used = process.cpuUsage()
  process.on('message', () => {
    const { user, system } = process.cpuUsage(used)
    used = process.cpuUsage()
    const report: LoopReport = {
      pauseMs: Math.max(0, delay.max / 1e6 - RESOLUTION_MS),
      cpuMs: (user + system) / 1_000,
      rssBytes: process.memoryUsage.rss(),
    }
    delay.reset()
    process.send?.(report)
  })
  // What only measures keeps no node alive.
  process.channel?.unref()
}
