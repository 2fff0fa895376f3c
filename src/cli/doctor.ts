// `quorate doctor`: why finality does not move, as one node sees it. It looks, waits a little, and looks again: what
// moves is well.

import { setTimeout as sleep } from 'node:timers/promises'
import { modeNamed } from '../finality/registry.ts'
import type { RpcClient } from '../wallet/rpc-client.ts'
import { type Agreement, readAgreement } from './agreement.ts'
import { defineCommand } from './command.ts'
import { type Diagnosis, diagnose, seconds, votesIn } from './diagnosis.ts'
import { EXIT } from './exit-codes.ts'
import { clientOf, nodeOptions, readCount } from './node-option.ts'
import { columns, table } from './output.ts'
import { describeClockDoubt, type NodeStatus, readStatus } from './status.ts'

/** Milliseconds between two looks while something waits to be decided. */
const POLL_MS = 250

/** The command that examines finality. */
export const doctorCommand = defineCommand({
  command: 'doctor',
  describe: 'Explain why finality does not move: quorum, votes, missing validators, clocks',
  options: {
    ...nodeOptions,
    wait: { type: 'number', default: 5, describe: 'Seconds to wait for a decision while one is due' },
  },
  examples: [['quorate doctor --rpc http://127.0.0.1:8546', 'exit code 1 when finality does not move']],
  run: async (args, output) => {
    const waitMs = readCount('--wait', args.wait, { min: 0, max: 600 }) * 1000
    const client = clientOf(args)
    const status = await readStatus(client)
    if (modeNamed(status.finality)?.hasValidators === false) {
      const sentence =
        'This network has no validators: a block is only the safer the deeper it lies, and a node calls it final when it will follow no branch without it.'
      const sentences = [...clockSentences(status), sentence]
      const isWell = status.clock === null
      output.data({ isWell, mode: status.finality, sentences, missing: [] }, () => sentences.join('\n'))
      return isWell ? EXIT.done : EXIT.no
    }
    const { agreement, diagnosis } = withClock(await examine(client, waitMs), status)
    output.data({ ...diagnosis, ...agreement }, () => describe(agreement, diagnosis))
    return diagnosis.isWell ? EXIT.done : EXIT.no
  },
})

/** What is wrong with the node's clock, and what to do about it; nothing when nothing is. */
function clockSentences({ clock }: NodeStatus): string[] {
  if (clock === null) return []
  return [
    `The clock of this node looks wrong, ${describeClockDoubt(clock)}. Set it by the network (NTP, such as \`timedatectl set-ntp true\`); the node then goes on by itself. If it is right, the clocks of those that made these blocks are not.`,
  ]
}

/** A wrong clock is reported first: it explains other symptoms. */
function withClock(
  { agreement, diagnosis }: { agreement: Agreement; diagnosis: Diagnosis },
  status: NodeStatus,
): { agreement: Agreement; diagnosis: Diagnosis } {
  const sentences = [...clockSentences(status), ...diagnosis.sentences]
  return {
    agreement,
    diagnosis: { ...diagnosis, isWell: diagnosis.isWell && status.clock === null, sentences },
  }
}

/** Looks until something is decided, nothing waits, or the time is over. */
async function examine(
  client: RpcClient,
  waitMs: number,
): Promise<{ agreement: Agreement; diagnosis: Diagnosis }> {
  const begin = performance.now()
  const before = await readAgreement(client)
  for (let agreement = before; ; agreement = await readAgreement(client)) {
    const betweenMs = performance.now() - begin
    const diagnosis = diagnose(before, agreement, betweenMs)
    if (diagnosis.isWell || agreement.halted !== null || betweenMs >= waitMs) return { agreement, diagnosis }
    await sleep(POLL_MS)
  }
}

function describe(agreement: Agreement, { sentences, missing }: Diagnosis): string {
  return [
    ...sentences,
    '',
    table(rowsOf(agreement, missing)),
    '',
    columns([
      ['validator', 'connected', ...agreement.phases, 'decided', 'view', 'timeout', 'clock', 'heard'],
      ...agreement.validators.map((validator, member) => cellsOf(agreement, validator, member)),
    ]),
  ].join('\n')
}

function rowsOf(agreement: Agreement, missing: Diagnosis['missing']): [string, string][] {
  const { validators, quorum, faultsTolerated, lastCertificate: last, sinceDecisionMs } = agreement
  const n = validators.length
  const proposer = agreement.proposer === null ? 'no validator' : validators[agreement.proposer]!.name
  const votes = agreement.phases.map(phase => `${votesIn(agreement, phase)} ${phase}`).join(', ')
  const age = sinceDecisionMs === null ? '' : `, ${seconds(sinceDecisionMs)} ago`
  return [
    ['finality', `${agreement.mode}, ${agreement.pattern}`],
    ['quorum', `${quorum} of ${n}; ${faultsTolerated} may lie; this node can count on ${n - missing.length}`],
    [
      'next decision',
      `${agreement.sequence + 1}, view ${agreement.view}, proposed by ${proposer}; votes: ${votes}`,
    ],
    [
      'last certificate',
      last === null
        ? 'none yet'
        : `${last.sequence}, for block ${last.height}${age}, signed by ${last.signers.join(', ')}`,
    ],
    ['lag', `${agreement.lag} blocks: head ${agreement.head}, final ${agreement.final}`],
  ]
}

function cellsOf(
  { self, view, sequence, timeoutMs, phases }: Agreement,
  { name, isLinked, votedIn, status }: Agreement['validators'][number],
  member: number,
): string[] {
  const isSelf = member === self
  const word = isSelf ? { sequence, view, timeoutMs, clockAheadMs: 0, ageMs: 0 } : status
  const yes = (is: boolean) => (is ? 'yes' : 'no')
  return [
    name,
    isSelf ? 'this node' : yes(isLinked),
    ...phases.map(phase => yes(votedIn.includes(phase))),
    ...(word === null
      ? ['?', '?', '?', '?', 'never']
      : [
          String(word.sequence),
          String(word.view),
          seconds(word.timeoutMs),
          isSelf ? '' : describeClock(word.clockAheadMs),
          isSelf ? '' : `${seconds(word.ageMs)} ago`,
        ]),
  ]
}

/** Less than a tenth of a second is the way of the message. */
function describeClock(aheadMs: number): string {
  if (Math.abs(aheadMs) < 100) return 'same'
  return `${seconds(Math.abs(aheadMs))} ${aheadMs > 0 ? 'ahead' : 'behind'}`
}
