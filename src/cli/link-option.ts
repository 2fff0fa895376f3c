// The options by which what a node sends is late, or lost and sent again: for experiments, on networks for tests. How
// late, src/lab/links/link-delays.ts says.

import type { Genesis } from '../execution/genesis.ts'
import type { LinkQuality } from '../lab/links/link-delays.ts'
import { CommandError, EXIT } from './exit-codes.ts'
import { readCount, readShare } from './node-option.ts'

/** The options of a node whose links are worse than the machine's. */
export const linkOptions = {
  latency: {
    type: 'number',
    describe:
      'Average milliseconds by which what the node sends is delayed; only on a network whose genesis file says forTests',
  },
  loss: {
    type: 'string',
    describe: 'Share of what the node sends that is lost and retransmitted, as by TCP, such as 2%; likewise',
  },
} as const

/** Beyond these, nodes do not get to know each other in the ten seconds that libp2p gives to a handshake. */
export const LINK_LIMITS = { latencyMs: 500, lossRate: 0.5 } as const

/** What the options give, or null when there are none; ends the command when they make no sense. */
export function readLinks(
  args: { readonly latency: number | undefined; readonly loss: string | undefined },
  genesis: Genesis,
): LinkQuality | null {
  const { latency, loss } = args
  if (latency === undefined && loss === undefined) return null
  if (!genesis.forTests)
    throw new CommandError(
      EXIT.usage,
      `--${latency === undefined ? 'loss' : 'latency'}: ${genesis.name} is not a network for tests`,
      'Only where the genesis file says "forTests": true may links be made worse than they are.',
    )
  const latencyMs = readCount('--latency', latency ?? 0, { min: 0, max: LINK_LIMITS.latencyMs })
  const lossRate = readShare('--loss', loss ?? '0')
  if (lossRate > LINK_LIMITS.lossRate)
    throw new CommandError(EXIT.usage, `--loss: expected at most ${LINK_LIMITS.lossRate * 100}%, got ${loss}`)
  return { latencyMs, lossRate }
}
